"""Cloud assemblies: the app is synthesized once for the same sources and settings."""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import patchbay
from patchbay.deploy import cdk
from patchbay.errors import UserError
from patchbay.processes.process import ChildProcess
from patchbay.processes.workspace import BUILD, exclusively, tail
from patchbay.project.root import ROOT

# The sources of templates and assets: these files, and every folder with Python files except for
# the tests, which no stack imports.
FILES = (
    "app.py",
    "cdk.json",
    "cdk.context.json",
    "pyproject.toml",
    "requirements.txt",
    "package-lock.json",
)
NOT_SOURCES = frozenset({"tests", "build", "cdk.out", "node_modules"})
PACKAGE = Path(patchbay.__file__).parent
ASSEMBLIES = BUILD / "assemblies"
REGION = "us-east-1"  # any: without one, the CLI asks the account for its own
KEPT = 6  # assemblies, the latest used
STAMP = "complete"  # written last: an interrupted synthesis is repeated


class SynthesisFailed(UserError):
    """The app could not be synthesized: a guardrail failed, or a stack is wrong."""


def synthesize(stage: str, context: Mapping[str, str], into: Path = ASSEMBLIES) -> Path:
    """Return the app's cloud assembly for a stage, in a folder of its own; raises SynthesisFailed.

    `context` holds the stage's settings, as `cdk … -c NAME=VALUE` takes them. Each content has its
    own folder, so that a run can still deploy an assembly that is out of date for another.
    """
    settings = dict(context) | {"stage": stage}
    # One at a time: all runs of the app share the folders of its assets.
    with exclusively(into / "synthesis"):
        assembly = into / content_key(settings)[:16]
        stamp = assembly / STAMP
        if not stamp.exists():
            shutil.rmtree(assembly, ignore_errors=True)
            _synthesize(settings, assembly)
        stamp.touch()
        _delete_old(into)
    return assembly


def content_key(settings: Mapping[str, str], root: Path = ROOT) -> str:
    """Return a digest of everything that an assembly is built from."""
    digest = hashlib.sha256(json.dumps([sys.version, dict(settings)], sort_keys=True).encode())
    for path, name in _sources(root):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()


def _sources(root: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each file that an assembly is built from, with its name in the digest."""
    for name in FILES:
        if (root / name).is_file():
            yield root / name, Path(name)
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        is_source = folder.name not in NOT_SOURCES and not folder.name.startswith(".")
        if is_source and folder != PACKAGE and any(folder.rglob("*.py")):
            yield from _files_in(folder, root)
    yield from _files_in(PACKAGE, PACKAGE.parent)


def _files_in(folder: Path, root: Path) -> Iterator[tuple[Path, Path]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file, file.relative_to(root)


def _delete_old(into: Path) -> None:
    stamps = sorted(into.glob(f"*/{STAMP}"), key=lambda stamp: stamp.stat().st_mtime)
    for stamp in stamps[:-KEPT]:
        shutil.rmtree(stamp.parent, ignore_errors=True)


def _synthesize(settings: Mapping[str, str], out: Path) -> None:
    context = [word for item in settings.items() for word in ("-c", "=".join(item))]
    quiet = ["--quiet", "--no-notices", "--no-color"]
    log = out.with_name("synthesis.log")
    log.unlink(missing_ok=True)
    with ChildProcess(
        cdk.child_command("synth", "--output", str(out), *context, *quiet),
        environ=cdk.local_environ(_without_aws()),
        log=log,
    ) as cli:
        code = cli.wait()
    if code:
        raise SynthesisFailed(f"The app can't be synthesized (see {log}):\n{tail(log, 30)}")


def _without_aws() -> dict[str, str]:
    """Return this environment without accounts: the CLI would look up the number of each."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": REGION,
    }
