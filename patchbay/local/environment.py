"""The local cloud's own Python environment: what Lambda's runtime would have, and no more."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

from patchbay.errors import UserError
from patchbay.processes.workspace import BUILD, exclusively

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
FOLDER = BUILD / "cloud-environment"


def ensure(folder: Path = FOLDER, requirements: Path = REQUIREMENTS) -> Path:
    """The environment's interpreter; made anew only where its requirements or Python have changed.

    Raises UserError with uv's own words.
    """
    stamp = folder / "made-from"
    wanted = _digest(requirements)
    with exclusively(folder):
        if not stamp.exists() or stamp.read_text() != wanted:
            print(f"Setting up: the local cloud's own environment in {folder}", flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            _uv("venv", "--python", sys.executable, str(folder))
            python = ["--python", str(_interpreter(folder)), "--require-hashes"]
            _uv("pip", "sync", *python, str(requirements))
            stamp.write_text(wanted)
    return _interpreter(folder)


def _interpreter(folder: Path) -> Path:
    return folder / "bin" / "python"


def _digest(requirements: Path) -> str:
    python = f"{sys.version} {sys.base_prefix}"
    return hashlib.sha256(requirements.read_bytes() + python.encode()).hexdigest()


def _uv(*arguments: str) -> None:
    command = [find_uv_bin(), "--quiet", "--no-config", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise UserError(
            "The local cloud's environment can't be made. It needs the package registry once; "
            f"after that, it needs no network.\n{result.stderr.strip()}"
        )
