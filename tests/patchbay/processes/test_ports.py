import socket

import pytest

from patchbay.errors import UserError
from patchbay.processes import ports

ANY = 4800  # far from the ports of a cloud that may be running


def test_the_preferred_port_is_reserved_where_it_is_free() -> None:
    with ports.reserve(ANY) as first:
        port = first.getsockname()[1]
    with ports.reserve(port) as again:
        assert again.getsockname() == (ports.HOST, port)


def test_the_next_port_is_reserved_where_another_server_has_the_preferred_one() -> None:
    with ports.reserve(ANY) as taken:
        port = taken.getsockname()[1]
        with ports.reserve(port) as reserved:
            assert reserved.getsockname()[1] > port


def test_a_port_that_is_taken_on_all_interfaces_is_not_reserved_again() -> None:
    with socket.socket() as everywhere:
        everywhere.bind(("0.0.0.0", 0))  # noqa: S104
        everywhere.listen()
        port = everywhere.getsockname()[1]
        with ports.reserve(port) as reserved:
            assert reserved.getsockname()[1] != port


def test_no_free_port_is_a_user_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "TRIES", 1)
    with ports.reserve(ANY) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"No port from {port}"):
            ports.reserve(port)
