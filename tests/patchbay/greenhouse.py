"""Synthesizes the sample project, as its own CDK app: once for each content.

`assembly(stage)` is its cloud assembly. It runs in a process of its own, in the sample's folder: in
this one, the project is another.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import patchbay
from patchbay.deploy.cdk import use_own_node
from patchbay.topology.template import Template, read

SAMPLE = Path(__file__).parent / "sample"
BUILD = SAMPLE / "build"
NAME = "greenhouse"
_PACKAGE = Path(patchbay.__file__).parent


def run_app(context: Mapping[str, str], out: Path, root: Path = SAMPLE) -> tuple[int, str]:
    """Run an app.py as the CDK CLI would; returns its exit code and what it wrote to stderr."""
    settings = json.loads((root / "cdk.json").read_text())["context"] | dict(context)
    cdk = {"CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": json.dumps(settings)}
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PATCHBAY_")}
    use_own_node(environment)
    result = subprocess.run(
        [sys.executable, "app.py"],
        cwd=root, env=environment | cdk, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return result.returncode, result.stderr


def copy(folder: Path) -> Path:
    """Copy the sample project, to change it; the layer is shared."""
    root = folder / NAME
    shutil.copytree(SAMPLE, root, ignore=shutil.ignore_patterns("build", "__pycache__"))
    (BUILD / "layers").mkdir(parents=True, exist_ok=True)
    (root / "build").mkdir()
    (root / "build" / "layers").symlink_to(BUILD / "layers")
    return root


@cache
def assembly(stage: str) -> Path:
    """Return the sample's cloud assembly for a stage, made anew where a source has changed."""
    out = BUILD / "assemblies" / f"{stage}-{_digest(SAMPLE, _PACKAGE)}"
    BUILD.mkdir(exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other processes of a test run want the same
        if not out.exists():
            for old in out.parent.glob(f"{stage}-*"):
                shutil.rmtree(old)
            unfinished = BUILD / f"unfinished-{stage}"
            shutil.rmtree(unfinished, ignore_errors=True)
            code, errors = run_app({"stage": stage}, unfinished)
            assert code == 0, errors
            out.parent.mkdir(exist_ok=True)
            unfinished.rename(out)
    return out


@cache
def templates(stage: str) -> dict[str, Template]:
    """Return every template of a stage of the sample, by the name of its stack."""
    return read(assembly(stage))


def _digest(*folders: Path) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            place = path.relative_to(folder)
            if path.is_file() and place.parts[0] != "build" and "__pycache__" not in place.parts:
                digest.update(f"{place}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
