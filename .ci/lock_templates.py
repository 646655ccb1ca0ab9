"""Pins the packages of a new project, so that `patchbay new` needs no network. For `make lock`."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from patchbay.templates import wheel
from patchbay.templates.project import PROJECT
from patchbay.templates.render import SUFFIX, render

ROOT = Path(__file__).parents[1]
COMPILE = ["uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes",
           "--python-version", "3.11", "--no-emit-index-url",
           "--no-annotate", "--custom-compile-command", "make lock"]  # fmt: skip
RUNTIME = ("botocore", "python-dateutil", "six", "urllib3")


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        (root / "functions").mkdir()
        pinned = wheel.get(None, root / "vendor")
        shutil.copyfile(ROOT / "requirements-dev.txt", root / "constraints.txt")
        for name in ("requirements", "functions/requirements"):
            text = render(f"project/{name}.in", {"wheel": pinned.name})
            (root / f"{name}.in").write_text(text)
        _compile(root, "requirements", "constraints.txt")
        # A requirement without a name, as the wheel's path is one, can't be a constraint.
        others = re.sub(r"^\./.+\n.+\n", "", (root / "requirements.txt").read_text(), flags=re.M)
        (root / "constraints.txt").write_text(others)
        skipped = [word for name in RUNTIME for word in ("--no-emit-package", name)]
        _compile(root, "functions/requirements", "constraints.txt", *skipped)
        locked = (root / "requirements.txt").read_text()
        # The pin is each project's own.
        locked = locked.replace(pinned.name, "<< wheel >>").replace(
            wheel.sha256(pinned), "<< hash >>"
        )
        (PROJECT / f"requirements.txt{SUFFIX}").write_text(locked)
        locked = (root / "functions/requirements.txt").read_text()
        (PROJECT / "functions" / f"requirements.txt{SUFFIX}").write_text(locked)
    lock = (
        (ROOT / "package-lock.json")
        .read_text()
        .replace('"name": "patchbay"', '"name": "<< name >>"')
    )
    lock = lock.replace(
        '      "license": "Apache-2.0",\n      "devDependencies"', '      "devDependencies"'
    )
    (PROJECT / f"package-lock.json{SUFFIX}").write_text(lock)


def _compile(root: Path, name: str, constraints: str, *options: str) -> None:
    command = [*COMPILE, f"{name}.in", "-c", constraints, "-o", f"{name}.txt", *options]
    subprocess.run(command, cwd=root, env=os.environ, check=True)


if __name__ == "__main__":
    main()
