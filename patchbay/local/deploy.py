"""Deploys to the local cloud with the real CDK CLI, as one deploys to AWS."""

import re
import time
from collections.abc import Sequence
from pathlib import Path

from patchbay.deploy import cdk
from patchbay.errors import UserError
from patchbay.local.access import ACCOUNT, REGION
from patchbay.local.cloud import LocalCloud
from patchbay.processes.process import Tethered
from patchbay.project.root import ROOT

STACKS_AT_ONCE = 4
LINES_TO_TELL = 20

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TELLING = re.compile(r"fail|error|denied|invalid|refused|❌", re.IGNORECASE)


class DeployFailed(UserError):
    """The CDK CLI could not bring the system, or what it needs itself, to the cloud."""


def bootstrap(cloud: LocalCloud) -> float:
    """Prepare the cloud's account for the CDK; returns the seconds it took.

    Raises DeployFailed.
    """
    # Run in a folder without a cdk.json, or the CLI would first synthesize the whole app.
    return _run(cloud, "bootstrap", f"aws://{ACCOUNT}/{REGION}", cwd=cloud.folder)


def deploy(cloud: LocalCloud, assembly: Path, stacks: Sequence[str] = ("--all",)) -> float:
    """Deploy stacks of an assembly that has been synthesized; returns the seconds it took.

    Raises DeployFailed.
    """
    options = [*stacks, "--concurrency", str(STACKS_AT_ONCE), "--require-approval", "never"]
    options += ["--progress", "events"]
    # A change set is for people to look at before it is executed: here, nobody does.
    return _run(cloud, "deploy", "--app", str(assembly), "--method", "direct", *options)


def stacks_of(assembly: Path) -> list[str]:
    """The names of an assembly's stacks."""
    end = ".template.json"
    return sorted(path.name.removesuffix(end) for path in assembly.glob(f"*{end}"))


def log_of(cloud: LocalCloud) -> Path:
    """Where the CDK CLI says what it does."""
    return cloud.folder / "deploy.log"


def _run(cloud: LocalCloud, command: str, *options: str, cwd: Path = ROOT) -> float:
    quiet = ["--no-notices", "--no-color"]
    log = log_of(cloud)
    before = log.stat().st_size if log.exists() else 0
    started = time.monotonic()
    with Tethered(
        cdk.tethered(command, *options, *quiet),
        environ=cdk.local_environ(cloud.environ),
        log=log,
        cwd=cwd,
    ) as cli:
        code = cli.wait()
    if code:
        after = ", for the local cloud is not running" if cloud.has_ended() else ""
        said = log.read_bytes()[before:].decode(errors="replace")
        raise DeployFailed(
            f"`cdk {command}` failed with exit code {code}{after}. It said:\n{_telling(said)}\n"
            f"All that it said is in {log}, and what the cloud did in {cloud.log_path}."
        )
    return time.monotonic() - started


def _telling(said: str) -> str:
    """The lines that tell what went wrong; where none does, the last ones."""
    lines = [line.rstrip() for line in _COLOUR.sub("", said).splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)]
    return "\n".join((telling or lines)[-LINES_TO_TELL:])
