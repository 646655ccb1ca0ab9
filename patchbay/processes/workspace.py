"""The folders for build output and logs."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from patchbay.project.root import ROOT

BUILD = ROOT / "build"
LOCAL = BUILD / "local"


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Hold a lock on `path`, so that two processes do not build it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def tail(path: Path, lines: int = 15) -> str:
    """Return the last lines of a log."""
    text = path.read_text(errors="replace") if path.exists() else ""
    return "\n".join(text.splitlines()[-lines:])
