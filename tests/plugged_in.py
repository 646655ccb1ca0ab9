"""Syntheses of the app with each of some new services added alone, in one process.

`python -m tests.plugged_in OUT SERVICE…` runs app.py itself for each, with the other new services
left out, into a folder of OUT that is called as the service; and once without any, into `none`.
`python -m tests.plugged_in --add NAME=EVENT[,EVENT]…` adds consumers, as `patchbay add` does.
"""

import json
import runpy
import sys
from functools import partial
from pathlib import Path
from unittest.mock import patch

import aws_cdk

from patchbay.app import services, system
from patchbay.cli.__main__ import main as command
from tests.synthesis import SETTINGS


def main(out: Path, new: list[str]) -> None:
    found = services.services()
    context = json.loads(Path("cdk.json").read_text())["context"] | SETTINGS["dev"]
    for name in ["none", *new]:
        chosen = [each for each in found if each.service_name() not in set(new) - {name}]
        # What the CDK CLI would say in the environment, which jsii's process reads once only.
        app = partial(aws_cdk.App, outdir=str(out / name), context=context)
        chosen_app = patch.object(system, "App", app)
        chosen_services = patch.object(services, "services", lambda: chosen)  # noqa: B023
        with chosen_app, chosen_services:
            runpy.run_path("app.py", run_name="__main__")


def add(consumers: list[str]) -> int:
    """Add consumers, given as NAME=EVENT[,EVENT]; return 0 where all were added."""
    named = (each.partition("=") for each in consumers)
    return max(command(["add", "consumer", name, "--on", on]) for name, _, on in named)


if __name__ == "__main__":
    if sys.argv[1] == "--add":
        sys.exit(add(sys.argv[2:]))
    main(Path(sys.argv[1]), sys.argv[2:])
