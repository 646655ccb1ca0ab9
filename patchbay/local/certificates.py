"""A certificate authority that vouches for this machine's loopback, and for nothing else."""

import os
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from patchbay.errors import UserError

DAYS = 30  # as long as one cloud may run: each start makes a certificate of its own

_CONFIG = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = ${ENV::NAME}
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
nameConstraints = critical, permitted;IP:127.0.0.1/255.255.255.255, permitted;DNS:localhost
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1, DNS:localhost
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
"""


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """Files in PEM: the authority that clients trust, and what the server shows and holds."""

    authority: Path
    certificate: Path
    key: Path


def issue(folder: Path) -> Certificates:
    """Make new ones in `folder`; raises UserError where openssl can't.

    The authority's own key is thrown away at once, so nobody can issue in its name, not even we.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        work = Path(name)
        (work / "openssl.cnf").write_text(_CONFIG)
        _request(work, "authority", "Patchbay local authority")
        _sign(work, "authority", ["-signkey", "authority.key"])
        _request(work, "server", "127.0.0.1")
        _sign(work, "server", ["-CA", "authority.pem", "-CAkey", "authority.key"])
        for path in ("authority.pem", "server.pem", "server.key"):
            shutil.move(work / path, folder / path)
    return Certificates(
        authority=folder / "authority.pem",
        certificate=folder / "server.pem",
        key=folder / "server.key",
    )


def _request(work: Path, role: str, name: str) -> None:
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", f"{role}.key", "-out", f"{role}.csr"]
    _openssl(work, name, "req", "-new", "-config", "openssl.cnf", *curve, *files)
    (work / f"{role}.key").chmod(0o600)


def _sign(work: Path, role: str, signer: list[str]) -> None:
    terms = ["-days", str(DAYS), "-sha256", "-set_serial", str(secrets.randbits(120) + 1)]
    extensions = ["-extfile", "openssl.cnf", "-extensions", role]
    files = ["-in", f"{role}.csr", "-out", f"{role}.pem"]
    _openssl(work, "-", "x509", "-req", *files, *signer, *terms, *extensions)


def _openssl(work: Path, name: str, *arguments: str) -> None:
    try:
        result = subprocess.run(
            ["openssl", *arguments],
            cwd=work,
            env={"PATH": os.environ.get("PATH", os.defpath), "NAME": name},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise UserError("openssl is not on PATH, and the local cloud's TLS needs it.") from error
    if result.returncode:
        raise UserError(f"openssl {arguments[0]} failed:\n{result.stderr.strip()}")
