"""Copies of the project, which a test may change."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from patchbay.processes.workspace import BUILD, exclusively
from patchbay.project.root import ROOT


def copy_of_the_project(into: Path) -> Path:
    """The project as git sees it, what is not committed as well, in a repository of its own."""
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in set(listed.split("\0")) - {""}:
        if (ROOT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, into / name)
    # The packages are the same: there is no need to build them again.
    (into / "node_modules").symlink_to(ROOT / "node_modules")
    (into / "build").mkdir()
    (BUILD / "layers").mkdir(parents=True, exist_ok=True)
    (into / "build" / "layers").symlink_to(BUILD / "layers")
    git(into, "init", "--quiet")
    git(into, "add", "--all")
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    git(into, *author, "commit", "--quiet", "--no-verify", "--message", "As it was")
    return into


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that `make` fills, once for all workers of pytest together."""
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    made = folder.with_name(f"{name}.made")
    with exclusively(folder):
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            made.touch()
    return folder


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, check=True
    ).stdout


def changes(root: Path) -> str:
    """Return the output of `git status`."""
    return git(root, "status", "--porcelain", "--untracked-files=all")


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of the project in a copy of it."""
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=root, capture_output=True, text=True, check=False
    )
