"""A certificate authority for one run of the local cloud, and the server's certificate.

The authority can only certify 127.0.0.1 and localhost: docs/decisions/certificates.md.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey as Key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_FOR = timedelta(days=30)  # the longest run: each start issues a new certificate


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """Files in PEM: the authority that clients trust, and the server's certificate and key."""

    authority: Path
    certificate: Path
    key: Path


def issue(folder: Path) -> Certificates:
    """Write a new authority, and a certificate and key for the server, to `folder`.

    The authority's key is never written, so that nobody can issue another certificate.
    """
    authority_key, server_key = _new_key(), _new_key()
    authority = _authority(authority_key)
    server = _server(server_key, authority, authority_key)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Certificates(
        authority=_write(folder / "authority.pem", authority.public_bytes(Encoding.PEM)),
        certificate=_write(folder / "server.pem", server.public_bytes(Encoding.PEM)),
        key=_write(folder / "server.key", key),
    )


def _new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def _authority(key: Key) -> x509.Certificate:
    name = _name("Patchbay local authority")
    loopback = [x509.IPAddress(IPv4Network("127.0.0.1/32")), x509.DNSName("localhost")]
    builder = _builder(name, name, key).add_extension(
        x509.NameConstraints(permitted_subtrees=loopback, excluded_subtrees=None), critical=True
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True).sign(
        key, hashes.SHA256()
    )


def _server(key: Key, authority: x509.Certificate, authority_key: Key) -> x509.Certificate:
    names = [x509.IPAddress(IPv4Address("127.0.0.1")), x509.DNSName("localhost")]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    builder = _builder(_name("127.0.0.1"), authority.subject, key)
    for extension, critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(digital_signature=True), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName(names), False),
        (issuer, False),
    ):
        builder = builder.add_extension(extension, critical)
    return builder.sign(authority_key, hashes.SHA256())


def _builder(subject: x509.Name, issuer: x509.Name, key: Key) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, content: bytes) -> Path:
    """Write a file that only its owner can read; replace an existing one."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path
