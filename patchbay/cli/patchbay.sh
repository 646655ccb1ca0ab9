#!/bin/sh
# `patchbay`, from whatever folder: the Makefile links it into the environment's bin.
root=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} exec "$root/.venv/bin/python" -P -m patchbay.cli "$@"
