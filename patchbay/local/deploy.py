"""Deployments to the local cloud with the real CDK CLI, as on AWS."""

import re
import time
from collections.abc import Sequence
from pathlib import Path

from patchbay.deploy import cdk
from patchbay.errors import UserError
from patchbay.local.access import ACCOUNT, REGION
from patchbay.local.cloud import LocalCloud
from patchbay.processes.process import ChildProcess
from patchbay.project.root import ROOT

STACKS_AT_ONCE = 4
MAX_LINES = 20  # of the CLI's output, in an error message

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_FAILURE = re.compile(r"fail|error|denied|invalid|refused|❌", re.IGNORECASE)


class DeployFailed(UserError):
    """The CDK CLI could not deploy the system, or bootstrap the cloud."""


def bootstrap(cloud: LocalCloud) -> float:
    """Bootstrap the cloud's account for the CDK; return the seconds it took.

    Raises DeployFailed.
    """
    # Run in a folder without a cdk.json, or the CLI would first synthesize the whole app.
    return _run(cloud, "bootstrap", f"aws://{ACCOUNT}/{REGION}", cwd=cloud.folder)


def deploy(cloud: LocalCloud, assembly: Path, stacks: Sequence[str] = ("--all",)) -> float:
    """Deploy stacks of a synthesized assembly; return the seconds it took.

    Raises DeployFailed.
    """
    options = [*stacks, "--concurrency", str(STACKS_AT_ONCE), "--require-approval", "never"]
    options += ["--progress", "events"]
    # A change set is for people to review before it is executed: here, nobody does.
    return _run(cloud, "deploy", "--app", str(assembly), "--method", "direct", *options)


def stacks_of(assembly: Path) -> list[str]:
    """Return the names of an assembly's stacks."""
    end = ".template.json"
    return sorted(path.name.removesuffix(end) for path in assembly.glob(f"*{end}"))


def log_of(cloud: LocalCloud) -> Path:
    """Return the file of the CDK CLI's log."""
    return cloud.folder / "deploy.log"


def _run(cloud: LocalCloud, command: str, *options: str, cwd: Path = ROOT) -> float:
    quiet = ["--no-notices", "--no-color"]
    log = log_of(cloud)
    before = log.stat().st_size if log.exists() else 0
    started = time.monotonic()
    with ChildProcess(
        cdk.child_command(command, *options, *quiet),
        environ=cdk.local_environ(cloud.environ),
        log=log,
        cwd=cwd,
    ) as cli:
        code = cli.wait()
    if code:
        reason = ", since the local cloud is not running" if cloud.has_ended() else ""
        output = log.read_bytes()[before:].decode(errors="replace")
        raise DeployFailed(
            f"`cdk {command}` failed with exit code {code}{reason}. Its output:\n"
            f"{_failures(output)}\nIts whole log is {log}, "
            f"and the log of the local cloud is {cloud.log_path}."
        )
    return time.monotonic() - started


def _failures(output: str) -> str:
    """Return the lines that report a failure; if there are none, the last lines."""
    lines = [line.rstrip() for line in _COLOUR.sub("", output).splitlines() if line.strip()]
    failures = [line for line in lines if _FAILURE.search(line)]
    return "\n".join((failures or lines)[-MAX_LINES:])
