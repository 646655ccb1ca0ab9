import socket
import ssl
import threading
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from cryptography import x509

from patchbay.local.certificates import Certificates, issue

DAYS = 30
SECONDS_A_DAY = 86_400
STRICT = ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN  # Python 3.13's own default


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return issue(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def port(issued: Certificates) -> Iterator[int]:
    """Yield the port of a server that has the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=_greet, args=(listener, context))
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def _greet(listener: socket.socket, context: ssl.SSLContext) -> None:
    accepted, _ = listener.accept()
    try:
        context.wrap_socket(accepted, server_side=True).close()
    except OSError:
        accepted.close()


def _certificate_seen(port: int, context: ssl.SSLContext, name: str) -> dict[str, object]:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        context.wrap_socket(connection, server_hostname=name) as secured,
    ):
        return dict(secured.getpeercert() or {})


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_strict_client_that_trusts_the_authority_accepts_the_server(
    issued: Certificates, port: int, name: str
) -> None:
    context = ssl.create_default_context(cafile=str(issued.authority))
    context.verify_flags |= STRICT
    assert _certificate_seen(port, context, name)


def test_a_client_that_does_not_trust_the_authority_refuses_the_server(port: int) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        _certificate_seen(port, ssl.create_default_context(), "127.0.0.1")


def test_the_server_is_refused_under_any_other_name(issued: Certificates, port: int) -> None:
    context = ssl.create_default_context(cafile=str(issued.authority))
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        _certificate_seen(port, context, "example.com")


def test_the_certificate_ends_within_the_days_that_one_cloud_may_run(
    issued: Certificates, port: int
) -> None:
    context = ssl.create_default_context(cafile=str(issued.authority))
    seen = _certificate_seen(port, context, "localhost")
    begins, ends = (ssl.cert_time_to_seconds(str(seen[key])) for key in ("notBefore", "notAfter"))
    assert ends - begins == DAYS * SECONDS_A_DAY


def test_only_the_owner_can_read_the_servers_key_and_the_authoritys_key_is_not_kept(
    issued: Certificates,
) -> None:
    folder = issued.key.parent
    assert issued.key.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.rglob("*") if "PRIVATE KEY" in path.read_text()] == [
        issued.key.name
    ]


def test_only_the_owner_can_read_the_files_and_their_folder(tmp_path: Path) -> None:
    issued = issue(tmp_path / "tls")
    assert issued.key.parent.stat().st_mode & 0o777 == 0o700
    for path in (issued.authority, issued.certificate, issued.key):
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_authority_is_restricted_to_this_machines_loopback(issued: Certificates) -> None:
    authority = x509.load_pem_x509_certificate(issued.authority.read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert constraints.value.excluded_subtrees is None
    assert [each.value for each in constraints.value.permitted_subtrees or []] == [
        IPv4Network("127.0.0.1/32"),
        "localhost",
    ]


def test_every_issue_has_an_authority_of_its_own(issued: Certificates, tmp_path: Path) -> None:
    assert issue(tmp_path).authority.read_text() != issued.authority.read_text()


def test_a_second_issue_replaces_the_first_in_the_same_folder(tmp_path: Path) -> None:
    first = issue(tmp_path).key.read_text()
    again = issue(tmp_path)
    assert again.key.read_text() != first
    assert {path.name for path in tmp_path.iterdir()} == {
        again.authority.name,
        again.certificate.name,
        again.key.name,
    }
