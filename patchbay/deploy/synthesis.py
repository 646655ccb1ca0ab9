"""Synthesizes the app once for each content: what has not changed is not made again."""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from patchbay.deploy import cdk
from patchbay.errors import UserError
from patchbay.local.access import REGION
from patchbay.processes.process import Tethered
from patchbay.processes.workspace import BUILD, exclusively, tail
from patchbay.project.root import ROOT

# All that the templates and assets are made of.
SOURCES = (
    "app.py",
    "cdk.json",
    "cdk.context.json",
    "contracts",
    "functions",
    "stacks",
    "requirements.txt",
    "package-lock.json",
)
ASSEMBLIES = BUILD / "assemblies"
KEPT = 6  # assemblies, the latest used
STAMP = "complete"  # written last, so that what was interrupted is done again


class SynthesisFailed(UserError):
    """The app did not synthesize: a guardrail, or a mistake in a stack."""


def synthesize(stage: str, context: Mapping[str, str], into: Path = ASSEMBLIES) -> Path:
    """The app's cloud assembly for a stage, in a folder of its own; raises SynthesisFailed.

    `context` are the stage's settings, as `cdk … -c NAME=VALUE` takes them. Each content has its
    folder, so that one run can deploy what another does not want any more.
    """
    settings = dict(context) | {"stage": stage}
    # One at a time, for the app prepares its assets in folders that all its runs share.
    with exclusively(into / "synthesis"):
        assembly = into / content_key(settings)[:16]
        stamp = assembly / STAMP
        if not stamp.exists():
            shutil.rmtree(assembly, ignore_errors=True)
            _synthesize(settings, assembly)
        stamp.touch()
        _forget_old(into)
    return assembly


def content_key(settings: Mapping[str, str], root: Path = ROOT) -> str:
    """A digest of all that an assembly is made of."""
    digest = hashlib.sha256(json.dumps([sys.version, dict(settings)], sort_keys=True).encode())
    for path in _sources(root):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root)}\0{content}\n".encode())
    return digest.hexdigest()


def _sources(root: Path) -> Iterator[Path]:
    for name in SOURCES:
        path = root / name
        if path.is_file():
            yield path
        yield from sorted(
            file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts
        )


def _forget_old(into: Path) -> None:
    stamps = sorted(into.glob(f"*/{STAMP}"), key=lambda stamp: stamp.stat().st_mtime)
    for stamp in stamps[:-KEPT]:
        shutil.rmtree(stamp.parent, ignore_errors=True)


def _synthesize(settings: Mapping[str, str], out: Path) -> None:
    context = [word for item in settings.items() for word in ("-c", "=".join(item))]
    quiet = ["--quiet", "--no-notices", "--no-color"]
    log = out.with_name("synthesis.log")
    log.unlink(missing_ok=True)
    with Tethered(
        cdk.tethered("synth", "--output", str(out), *context, *quiet),
        environ=cdk.local_environ(_without_aws()),
        log=log,
    ) as cli:
        code = cli.wait()
    if code:
        raise SynthesisFailed(f"The app does not synthesize (see {log}):\n{tail(log, 30)}")


def _without_aws() -> dict[str, str]:
    """This environment, less the accounts: the CLI would ask each for its number."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": REGION,
    }
