"""The local cloud's own Python environment, with the packages of Lambda's runtime only."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from uv import find_uv_bin

from patchbay.errors import UserError
from patchbay.processes.workspace import BUILD, exclusively

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
FOLDER = BUILD / "cloud-environment"
STAMP = "made-from"


def ensure(folder: Path = FOLDER, requirements: Path = REQUIREMENTS) -> Path:
    """Return the environment's interpreter; build it if its requirements or Python have changed.

    The old environment is only deleted when the new one is complete. Raises UserError.
    """
    wanted = _digest(requirements)
    with exclusively(folder):
        if not _is_made_from(folder, wanted):
            print(f"Setting up: the local cloud's own environment in {folder}", flush=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
                new = Path(unfinished, folder.name)
                _uv("venv", "--relocatable", "--python", sys.executable, str(new))
                python = ["--python", str(_interpreter(new)), "--require-hashes"]
                _uv("pip", "sync", *python, str(requirements))
                (new / STAMP).write_text(wanted)
                shutil.rmtree(folder, ignore_errors=True)
                new.rename(folder)
    return _interpreter(folder)


def _is_made_from(folder: Path, digest: str) -> bool:
    stamp = folder / STAMP
    # The interpreter is a link, which is broken once its Python is removed.
    return stamp.exists() and stamp.read_text() == digest and _interpreter(folder).exists()


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
            "The local cloud's environment can't be built: this needs the package registry, once. "
            f"Connect to the network, and run the command again.\n{result.stderr.strip()}"
        )
