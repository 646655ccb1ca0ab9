"""The console as it is really served."""

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
    """Lets a browser in, and closes its connection in the end."""
    visitors: list[Visitor] = []

    def enter(served: Served) -> Visitor:
        visitors.append(Visitor(served))
        return visitors[-1]

    yield enter
    for visitor in visitors:
        visitor.close()


class Visitor:
    """A browser with a connection of its own."""

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


def test_it_is_on_loopback_and_nowhere_else(served: Served) -> None:
    assert urlsplit(served.origin).hostname == "127.0.0.1"


def test_it_is_read_with_the_printed_address_only(served: Served, visit: Visit) -> None:
    visitor = visit(served)
    page = visitor.get("/")
    assert page.status == 200
    assert b"The patch bay" in page.read()
    assert "server" not in {name.lower() for name in page.headers}


def test_who_watches_is_sent_what_is_seen(served: Served, visit: Visit) -> None:
    feed = visit(served).get("/map/feed")
    assert feed.headers["Content-Type"].startswith("text/event-stream")
    assert feed.headers["Content-Security-Policy"]
    lines = [feed.readline().decode().strip() for _ in range(4)]
    assert lines[2] == "event: seen"
    assert "alerts" in json.loads(lines[3].removeprefix("data: "))["consumers"]


def test_a_page_that_is_left_open_does_not_keep_it_from_ending(
    visit: Visit, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(Deployment(Nowhere(), "local"), PORT, health) as served:
        feed = visit(served).get("/map/feed")
        feed.readline()
        ending = time.monotonic()
    assert time.monotonic() - ending < SECONDS_TO_END
    assert feed.read() is not None  # to its end, and not for ever
    assert capfd.readouterr().err == ""


def test_two_at_a_time_have_an_address_each(served: Served, visit: Visit) -> None:
    with serving(Deployment(Nowhere(), "local"), PORT, health) as other:
        assert other.origin != served.origin
        assert visit(other).get("/").status == 200
        stranger = visit(other)
        stranger.cookie = visit(served).cookie
        assert stranger.get("/").status == 403
