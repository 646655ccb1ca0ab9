"""Fixtures: the console, with a test client or with Chromium as its owner's browser."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser as Chromium
from starlette.testclient import TestClient

from patchbay.console.additions import Additions
from patchbay.console.app import console
from patchbay.console.deployment import Deployment
from patchbay.console.feed import Feed
from patchbay.console.guard import TOKEN
from patchbay.console.keys import Keys
from patchbay.operations.clients import Clients
from patchbay.operations.health.health import SystemHealth
from tests.patchbay.browser.finding import HOW_TO_GET_ONE, find_browser
from tests.patchbay.browser.watched import chromium

HOST = "127.0.0.1:4600"
Check = Callable[[], SystemHealth]
ORIGIN = f"http://{HOST}"


class Browser(TestClient):
    """A test client as a browser that opens the console."""

    def __init__(
        self,
        clients: Clients,
        stage: str = "dev",
        check: Check | None = None,
        additions: Additions | None = None,
    ) -> None:
        self.keys = Keys()
        feed = Feed(check or no_check, every=3600)
        app = console(Deployment(clients, stage, additions), host=HOST, keys=self.keys, feed=feed)
        super().__init__(app, base_url=ORIGIN, raise_server_exceptions=False)

    def enter(self) -> "Browser":
        """Open the console with its printed address."""
        self.get(f"/?key={self.keys.printed}")
        return self

    def change(self, path: str, **data: str) -> Any:
        """Post a form, as one of the console's own pages does."""
        return self.post(path, data=data, headers={"Origin": ORIGIN, TOKEN: self.keys.change})


class Nowhere:
    """Clients without a cloud."""

    def client(self, service: str, /) -> Any:
        raise AssertionError(f"{service} was called")


def no_check() -> SystemHealth:
    raise AssertionError("The health was checked")


Open = Callable[..., Browser]


@pytest.fixture
def browse() -> Open:
    """Return a function that opens the console of the deployment that some clients reach."""

    def opened(
        clients: Clients | None = None,
        stage: str = "dev",
        check: Check | None = None,
        additions: Additions | None = None,
    ) -> Browser:
        return Browser(clients or Nowhere(), stage, check, additions).enter()

    return opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    """Yield Chromium; skip the test where there is none."""
    executable = find_browser()
    if executable is None:
        pytest.skip(HOW_TO_GET_ONE)
    with chromium(executable) as opened:
        yield opened
