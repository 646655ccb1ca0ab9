"""The layer: the third-party packages that all functions share, built with uv, without Docker."""

import compileall
import hashlib
import platform
import py_compile
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from patchbay.errors import UserError
from patchbay.project.root import ROOT

REQUIREMENTS = ROOT / "functions" / "requirements.txt"
LAYERS = ROOT / "build" / "layers"

# manylinux2014's glibc is older than that of any Lambda runtime in support.
_PLATFORMS = {"arm64": "aarch64-manylinux2014", "x86_64": "x86_64-manylinux2014"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time that a zip file can hold


class LayerFailed(UserError):
    """The packages can't be installed for the runtime."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The runtime for which packages are installed."""

    python: str
    """Python's version, such as 3.14."""
    architecture: str
    """The architecture, in Lambda's terms: arm64 or x86_64."""
    here: bool = False
    """True for this machine's own interpreter."""


def build(target: Target, requirements: Path = REQUIREMENTS) -> Path:
    """Return the layer's zip file; build it if the requirements or the target have changed.

    Raises LayerFailed with uv's error message.
    """
    options = _options(target)
    archive = LAYERS / f"{_digest(requirements, options)}.zip"
    if not archive.exists():
        LAYERS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=LAYERS) as unfinished:
            folder = Path(unfinished, "layer")
            _install(requirements, folder / "python", options)
            if target.here:
                _compile(folder)
            # Renamed last, so that a concurrent build never sees an incomplete file.
            _zip(folder, Path(unfinished, archive.name)).rename(archive)
    return archive


def _options(target: Target) -> list[str]:
    if target.here:
        return ["--python", sys.executable, "--python-version", platform.python_version()]
    python_platform = _PLATFORMS[target.architecture]
    return ["--python-version", target.python, "--python-platform", python_platform]


def _digest(requirements: Path, options: list[str]) -> str:
    return hashlib.sha256(requirements.read_bytes() + " ".join(options).encode()).hexdigest()[:32]


def _install(requirements: Path, folder: Path, options: list[str]) -> None:
    command = [find_uv_bin(), "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
    command += ["--only-binary", ":all:", "--target", str(folder), *options]
    command += ["--requirement", str(requirements)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise LayerFailed(
            f"The layer can't be built from {requirements}. After each change, this needs the "
            "package registry, once: connect to the network, and run the command again.\n"
            f"{result.stderr.strip()}"
        )


def _compile(folder: Path) -> None:
    """Compile the packages: locally, each function would otherwise compile its own copy."""
    compileall.compile_dir(
        folder,
        quiet=1,
        stripdir=folder,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def _zip(folder: Path, archive: Path) -> Path:
    """Zip a folder; the same files give the same bytes."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name != ".lock":
                info = zipfile.ZipInfo(str(path.relative_to(folder)), date_time=_EPOCH)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o644 << 16
                file.writestr(info, path.read_bytes())
    return archive
