"""Rendering of patchbay/templates/files/: Jinja templates with `<< … >>` and `<% … %>`."""

import json
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FILES = Path(__file__).parent / "files"
SUFFIX = ".jinja"
# As in [tool.ruff] of every project, so that `make format` would change nothing.
_LINE = ["--config", "line-length = 100"]
OUR_FOLDERS = ("contracts", "functions", "stacks", "tests")


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return the text of a file; a name without a value is an error."""
    return _environment().get_template(template + SUFFIX).render(values)


def tidy(new: Mapping[Path, str], root: Path) -> dict[Path, str]:
    """Return the new files of a project, formatted as by `make format`.

    Imports are sorted, and those that are not used are removed.
    """
    return {path: _tidy(text, path, root) if path.suffix == ".py" else text
            for path, text in new.items()}  # fmt: skip


def _tidy(code: str, path: Path, root: Path) -> str:
    party = "first" if (root / "patchbay").is_dir() else "third"  # in a clone, it is the project's
    isort = {"known-first-party": [*OUR_FOLDERS], "known-third-party": []}
    isort[f"known-{party}-party"].append("patchbay")
    lint = ["check", "--quiet", "--fix", "--select", "I,F401"]
    for key, packages in isort.items():
        lint += ["--config", f"lint.isort.{key} = {json.dumps(packages)}"]
    for command in (lint, ["format", "--quiet"]):
        code = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", *_LINE,
             "--stdin-filename", str(path), "-"],
            input=code, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    return code


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FILES),
        undefined=StrictUndefined,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (it writes code, not pages)
    )
