"""Shared layers in the embedded cloud: each is unpacked once for all environments.

MiniStack unpacks every layer again for each environment of each function. Those hundreds of files
are most of the time of a cold start, and delay everything else in the cloud.
"""

import hashlib
import tempfile
import zipfile
from pathlib import Path
from threading import Lock
from typing import Any

_unpack = zipfile.ZipFile.extractall
_lock = Lock()


def share_layers() -> None:
    """Patch `zipfile` so that a layer is unpacked once, and then linked to."""
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
    with _lock:
        if not folder.exists():
            with zipfile.ZipFile(source) as archive:
                _unpack(archive, folder)
    return folder
