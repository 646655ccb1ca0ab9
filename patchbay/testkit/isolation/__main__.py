"""The entry point of `python -m patchbay.testkit.isolation`, the same as `patchbay isolation`."""

import sys

from patchbay.errors import UserError
from patchbay.testkit.isolation import run

if __name__ == "__main__":
    try:
        sys.exit(run())
    except UserError as error:
        sys.exit(f"\n{error}")
