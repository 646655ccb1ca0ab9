"""The cloud assembly of the app in `raw`, which does not use Patchbay."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from patchbay.deploy.cdk import use_own_node

APP = Path(__file__).parent / "raw" / "app.py"
_folder = TemporaryDirectory()


@cache
def assembly() -> Path:
    """Return its folder, synthesized once for a process."""
    out = Path(_folder.name, "cdk.out")
    environment = os.environ | {"CDK_OUTDIR": str(out)}
    use_own_node(environment)
    made = subprocess.run(
        [sys.executable, str(APP)], env=environment, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    return out
