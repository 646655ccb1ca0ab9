"""Patchbay's wheel, which a project holds in vendor/: built, repacked, or fetched."""

import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from patchbay.errors import UserError

DISTRIBUTION = "patchbay-aws"
PREFIX = "patchbay_aws-"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time that a zip file can hold
# Files that the installer added to those of the wheel.
_OF_THE_INSTALLER = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"}


def get(source: str | None, into: Path) -> Path:
    """Put a wheel of Patchbay into a folder, and return its path; raises UserError.

    `source` is the path of a wheel, a version, a git address, or None for the installed one.
    """
    into.mkdir(parents=True, exist_ok=True)
    if source is None:
        return _installed(into)
    path = Path(source).expanduser()
    if path.suffix == ".whl" or path.exists():
        if not (path.is_file() and path.name.startswith(PREFIX) and zipfile.is_zipfile(path)):
            raise UserError(
                f"{source} is not a wheel of Patchbay: {PREFIX}VERSION-py3-none-any.whl."
            )
        return Path(shutil.copyfile(path, into / path.name))
    wanted = source if "://" in source or "@" in source else f"{DISTRIBUTION}=={source}"
    return _fetched(wanted, into)


def sha256(wheel: Path) -> str:
    """Return the hash that pins a wheel."""
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def version(wheel: Path) -> str:
    """Return a wheel's version, from its file name."""
    return wheel.name.split("-")[1]


def _installed(into: Path) -> Path:
    installed = distribution(DISTRIBUTION)
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    path = Path(url2pathname(urlsplit(origin.get("url", "")).path))
    if origin.get("dir_info", {}).get("editable"):
        return _built(path, into)
    if path.suffix == ".whl" and path.is_file():
        return Path(shutil.copyfile(path, into / path.name))
    return _repacked(installed, into)


def _built(folder: Path, into: Path) -> Path:
    """Build the wheel of a clone."""
    with tempfile.TemporaryDirectory() as out:
        _run([_uv(), "build", "--quiet", "--wheel", "--no-config", "--out-dir", out, str(folder)])
        (built,) = Path(out).glob("*.whl")
        return Path(shutil.copyfile(built, into / built.name))


def _repacked(installed: Distribution, into: Path) -> Path:
    """Repack the installed files into a wheel; the same files give the same bytes."""
    files: dict[str, bytes] = {
        str(file): Path(str(file.locate())).read_bytes()
        for file in sorted(installed.files or (), key=str)
        if not str(file).startswith("..")
        and file.suffix != ".pyc"
        and not (file.parent.suffix == ".dist-info" and file.name in _OF_THE_INSTALLER)
    }
    (folder,) = {Path(name).parts[0] for name in files if ".dist-info/" in name}
    record = io.StringIO()
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record.write(f"{name},sha256={digest},{len(content)}\n")
    record.write(f"{folder}/RECORD,,\n")
    files[f"{folder}/RECORD"] = record.getvalue().encode()
    packed = into / f"{PREFIX}{installed.version}-py3-none-any.whl"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return packed


def _fetched(wanted: str, into: Path) -> Path:
    """Fetch a version with pip, or build it from git."""
    with tempfile.TemporaryDirectory() as out:
        _run(
            [
                sys.executable,
                "-m",
                "pip",
                "wheel",
                "--quiet",
                "--no-deps",
                "--wheel-dir",
                out,
                wanted,
            ]
        )
        found = list(Path(out).glob(f"{PREFIX}*.whl"))
        if len(found) != 1:
            raise UserError(f"{wanted} is not a distribution of Patchbay.")
        return Path(shutil.copyfile(found[0], into / found[0].name))


def _uv() -> str:
    from uv import find_uv_bin

    return find_uv_bin()


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise UserError(f"Patchbay's wheel can't be built or fetched:\n{result.stderr.strip()}")
