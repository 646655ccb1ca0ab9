"""The project's own files for the copies in a function's asset."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import patchbay
from patchbay.project.root import ROOT

_PACKAGES = Path(patchbay.__file__).parent.parent  # where this package is, installed or not
_SKIPPED = {"node_modules", "build", "cdk.out", "__pycache__", "site-packages"}


def project_file(asset: Path, copy: Path) -> Path | None:
    """Return the project's file with the same content and the same relative path."""
    if not copy.is_relative_to(asset):
        return None
    inside = copy.relative_to(asset)
    for base in (ROOT, _PACKAGES):
        if _is_same(base / inside, copy):
            return base / inside
    for base in _bases(asset):
        if _is_same(base / inside, copy):
            return base / inside
    return None


def _is_same(path: Path, copy: Path) -> bool:
    return path.is_file() and path.read_bytes() == copy.read_bytes()


@cache
def _bases(asset: Path) -> tuple[Path, ...]:
    """Return the project's folders of which the asset may be a copy, the likeliest first."""
    files = [path.relative_to(asset) for path in asset.rglob("*.py")]
    found: Counter[Path] = Counter()
    by_name = _files_by_name()
    for inside in files:
        for path in by_name.get(inside.name, ()):
            base = path.parents[len(inside.parts) - 1]
            if base / inside == path and _is_same(path, asset / inside):
                found[base] += 1
    return tuple(base for base, _ in found.most_common())


@cache
def _files_by_name() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in _python_files():
        found.setdefault(path.name, []).append(path)
    return found


def _python_files() -> Iterator[Path]:
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [
            name
            for name in sorted(folders)
            if name not in _SKIPPED
            and not name.startswith((".", "cdk.out"))
            and not Path(folder, name, "pyvenv.cfg").exists()
            and Path(folder, name) != Path(sys.prefix)
        ]
        yield from (Path(folder, name) for name in files if name.endswith(".py"))
