"""The folders in which Patchbay keeps what it builds, and its logs."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from patchbay.project.root import ROOT

BUILD = ROOT / "build"
LOCAL = BUILD / "local"


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Hold what `path` names for this process: two that make the same thing take turns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def tail(path: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    text = path.read_text(errors="replace") if path.exists() else ""
    return "\n".join(text.splitlines()[-lines:])
