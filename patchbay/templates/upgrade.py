"""Upgrades of the Patchbay that a project uses: the pin, the wheel and the lock files."""

import re
import subprocess
import tempfile
from pathlib import Path

from patchbay.errors import UserError
from patchbay.templates import wheel

REQUIREMENTS = Path("requirements.in")
LOCKS = (Path("requirements.txt"), Path("functions", "requirements.txt"))
VENDOR = Path("vendor")
_PIN = re.compile(rf"^\./vendor/({wheel.PREFIX}[^\s\[]+\.whl)(?=\[|\s|$)", re.MULTILINE)


def upgrade(root: Path, to: str) -> tuple[str, str]:
    """Raise the version, and return the one before and the one after; raises UserError.

    If it fails, no file is changed.
    """
    text = (root / REQUIREMENTS).read_text() if (root / REQUIREMENTS).is_file() else ""
    found = _PIN.search(text)
    if not found:
        raise UserError(
            f"{root / REQUIREMENTS} has no line ./vendor/{wheel.PREFIX}….whl: this project does "
            "not hold a wheel of Patchbay. Raise the version in its own requirements instead."
        )
    old = root / VENDOR / found[1]
    with tempfile.TemporaryDirectory() as temporary:
        new = wheel.get(to, Path(temporary))
        content = new.read_bytes()
    kept = {path: path.read_bytes() for path in _touched(root, old) if path.is_file()}
    target = root / VENDOR / new.name
    try:
        target.write_bytes(content)
        (root / REQUIREMENTS).write_text(text.replace(found[1], new.name))
        _lock(root)
        if target != old:
            old.unlink(missing_ok=True)
    except BaseException:
        target.unlink(missing_ok=True)
        for path, before in kept.items():
            path.write_bytes(before)
        raise
    return wheel.version(old), wheel.version(new)


def _touched(root: Path, old: Path) -> list[Path]:
    return [old, root / REQUIREMENTS, *(root / lock for lock in LOCKS)]


def _lock(root: Path) -> None:
    """Compile the lock files with the project's own command."""
    result = subprocess.run(
        ["make", "--silent", "lock"], cwd=root, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise UserError(
            "The new version can't be locked; nothing was changed. `make lock` wrote:\n"
            f"{(result.stderr or result.stdout).strip()}"
        )
