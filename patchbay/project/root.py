"""The folder of the project in which a command runs."""

from pathlib import Path

_SECTION = "[tool.patchbay]"


def find_root(start: Path | None = None) -> Path:
    """Return the nearest folder, from `start` upward, whose pyproject.toml describes a project.

    Returns `start` itself if there is none. By default, `start` is the current folder.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if file.is_file() and _SECTION in file.read_text(errors="replace"):
            return folder
    return here


ROOT = find_root()
