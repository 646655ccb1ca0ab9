"""The folder that a function's code is deployed from: its handler's module, and what it imports.

Modules of the project come from its folder, those of `patchbay` from where it is installed; in the
asset, they are next to each other. A module that no handler imports is in no asset, so that a
change to it deploys nothing.
"""

import hashlib
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from patchbay.packaging.imports import INSTALLED, Sources
from patchbay.project.root import ROOT

ASSETS = ROOT / "build" / "assets"


def asset(
    handler_module: str, root: Path = ROOT, into: Path = ASSETS, installed: Path = INSTALLED
) -> Path:
    """Return a folder with the files that a handler needs; the same files give the same folder.

    Raises NoSuchModule.
    """
    sources = Sources(root, installed)
    modules = sources.needed(handler_module)
    places = {sources.place_of(module): sources.file_of(module) for module in modules}
    files = {place: places[place].read_bytes() for place in sorted(places)}
    folder = into / _digest(files) / handler_module
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        _write(files, folder)
    return folder


def _write(files: Mapping[Path, bytes], folder: Path) -> None:
    """Write the files into the folder atomically: another synth may be writing the same."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
        complete = Path(unfinished, folder.name)
        for path, content in files.items():
            complete.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
            complete.joinpath(path).write_bytes(content)
        with suppress(OSError):  # the other synth was faster
            complete.rename(folder)


def _digest(files: Mapping[Path, bytes]) -> str:
    digest = hashlib.sha256()
    for path, content in files.items():
        digest.update(f"{path} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:32]
