"""Writes new files: all of them, or none."""

from collections.abc import Mapping
from pathlib import Path

New = Mapping[Path, str | bytes]
"""The content of each new file, by its path in the project."""


def write(new: New, root: Path) -> None:
    """Write all of the files, or none; raises OSError, also where one exists."""
    begun: list[Path] = []
    try:
        for path, content in new.items():
            for folder in reversed((root / path).parents):
                if not folder.exists():
                    folder.mkdir()
                    begun.append(folder)
            with (root / path).open("xb") as file:
                begun.append(root / path)
                file.write(content if isinstance(content, bytes) else content.encode())
    except BaseException:
        for path in reversed(begun):
            path.rmdir() if path.is_dir() else path.unlink()
        raise
