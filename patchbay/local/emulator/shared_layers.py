"""Has the functions of the embedded cloud share their layers, as /opt is shared on AWS.

MiniStack unpacks every layer anew for each environment of each function. Hundreds of files each
time are most of what a cold start costs, and hold up everything else that the cloud does.
"""

import hashlib
import tempfile
import zipfile
from pathlib import Path
from threading import Lock
from typing import Any

_unpack = zipfile.ZipFile.extractall
_taking_turns = Lock()


def share_layers() -> None:
    """From now on, the same layer is unpacked once, and linked to from where it is wanted."""
    zipfile.ZipFile.extractall = _extract_once  # type: ignore[method-assign, assignment]


def _extract_once(archive: zipfile.ZipFile, path: Any = None, *more: Any) -> None:
    source = Path(archive.filename or "")
    if not source.name.startswith("layer_"):  # MiniStack's own name for it
        _unpack(archive, path, *more)
        return
    for entry in _unpacked(source).iterdir():
        (Path(path) / entry.name).symlink_to(entry)


def _unpacked(source: Path) -> Path:
    folder = Path(tempfile.gettempdir()) / f"opt-{hashlib.sha256(source.read_bytes()).hexdigest()}"
    with _taking_turns:
        if not folder.exists():
            with zipfile.ZipFile(source) as archive:
                _unpack(archive, folder)
    return folder
