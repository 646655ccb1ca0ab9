"""New files: all of them are written, or none."""

from collections.abc import Mapping
from pathlib import Path

New = Mapping[Path, str | bytes]
"""The content of each new file, by its path in the project."""


def write(new: New, root: Path) -> None:
    """Write all files, or none; raises OSError, also if one of them exists."""
    created: list[Path] = []
    try:
        for path, content in new.items():
            for folder in reversed((root / path).parents):
                if not folder.exists():
                    folder.mkdir()
                    created.append(folder)
            with (root / path).open("xb") as file:
                created.append(root / path)
                file.write(content if isinstance(content, bytes) else content.encode())
    except BaseException:
        for path in reversed(created):
            path.rmdir() if path.is_dir() else path.unlink()
        raise
