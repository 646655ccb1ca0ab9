"""The console's server, reached over HTTP."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from patchbay.console.deployment import Deployment
from patchbay.console.serve import SECONDS_TO_END, Served, serving
from tests.patchbay.console.conftest import Nowhere
from tests.patchbay.operations.health.sample_health import health

PORT = 4680
SECONDS = 10


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(Deployment(Nowhere(), "local"), PORT, health) as console:
        yield console


@pytest.fixture
def visit() -> Iterator["Visit"]:
    """Return a function that opens the console; its connections are closed in the end."""
    visitors: list[Visitor] = []

    def enter(served: Served) -> Visitor:
        visitors.append(Visitor(served))
        return visitors[-1]

    yield enter
    for visitor in visitors:
        visitor.close()


class Visitor:
    """A browser with its own connection."""

    def __init__(self, served: Served) -> None:
        self._connection = http.client.HTTPConnection(
            urlsplit(served.origin).netloc, timeout=SECONDS
        )
        entered = self.get(served.address.removeprefix(served.origin))
        entered.read()
        self.cookie = entered.headers["Set-Cookie"].partition(";")[0]

    cookie = ""

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str) -> http.client.HTTPResponse:
        self._connection.request("GET", path, headers={"Cookie": self.cookie})
        return self._connection.getresponse()


Visit = Callable[[Served], Visitor]


def test_it_listens_on_loopback_only(served: Served) -> None:
    assert urlsplit(served.origin).hostname == "127.0.0.1"


def test_the_printed_address_opens_the_map(served: Served, visit: Visit) -> None:
    visitor = visit(served)
    page = visitor.get("/")
    assert page.status == 200
    assert b"The patch bay" in page.read()
    assert "server" not in {name.lower() for name in page.headers}


def test_a_watcher_is_sent_the_result_of_each_check(served: Served, visit: Visit) -> None:
    feed = visit(served).get("/map/feed")
    assert feed.headers["Content-Type"].startswith("text/event-stream")
    assert feed.headers["Content-Security-Policy"]
    lines = [feed.readline().decode().strip() for _ in range(4)]
    assert lines[2] == "event: seen"
    assert "alerts" in json.loads(lines[3].removeprefix("data: "))["consumers"]


def test_the_console_ends_although_a_page_is_still_open(
    visit: Visit, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(Deployment(Nowhere(), "local"), PORT, health) as served:
        feed = visit(served).get("/map/feed")
        feed.readline()
        ending = time.monotonic()
    assert time.monotonic() - ending < SECONDS_TO_END
    assert feed.read() is not None  # ends
    assert capfd.readouterr().err == ""


def test_two_consoles_have_different_addresses_and_sessions(served: Served, visit: Visit) -> None:
    with serving(Deployment(Nowhere(), "local"), PORT, health) as other:
        assert other.origin != served.origin
        assert visit(other).get("/").status == 200
        stranger = visit(other)
        stranger.cookie = visit(served).cookie
        assert stranger.get("/").status == 403
