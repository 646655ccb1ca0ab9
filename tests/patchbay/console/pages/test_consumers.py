"""The page of one consumer, with pause and resume."""

import pytest

from patchbay.console.pages import consumers
from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.operations.health.health import SystemHealth
from tests.patchbay.console.conftest import Open
from tests.patchbay.operations.health.sample_health import failure, health

HOSTILE = "<img src=x onerror=alert(1)>"
PART = {"HX-Request": "true"}


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return what was paused and resumed."""
    done: list[tuple[str, str]] = []

    def recording(what: str) -> object:
        def switch(clients: Clients, stage: str, name: str) -> bool:
            if name == "unheard-of":
                raise UserError(f"There is no consumer {name!r}.")
            done.append((what, name))
            return True

        return switch

    monkeypatch.setattr(consumers, "pause", recording("pause"))
    monkeypatch.setattr(consumers, "resume", recording("resume"))
    return done


def check() -> SystemHealth:
    if_down = {"state": "failing", "failures": (failure(f"it is down {HOSTILE}"),)}
    return health(alerts=if_down, journal={"state": "paused", "waiting": 7})


def test_it_shows_the_subscriptions_and_failures_with_links(browse: Open) -> None:
    page = browse(check=check).get("/consumers/alerts")
    assert "ReadingTaken" in page.text
    assert "it is down &lt;img" in page.text
    assert HOSTILE not in page.text
    assert 'href="/dead-letters?consumer=alerts"' in page.text
    assert 'href="/journeys?id=reading-1"' in page.text


def test_a_request_by_htmx_gets_the_panel_alone(browse: Open) -> None:
    browser = browse(check=check)
    assert "<html" in browser.get("/consumers/alerts").text
    assert "<html" not in browser.get("/consumers/alerts", headers=PART).text


def test_pausing_asks_for_confirmation(browse: Open) -> None:
    page = browse(check=check, stage="prod").get("/consumers/alerts")
    assert "hx-confirm=" in page.text
    assert "Pause the deliveries to alerts on the stage prod?" in page.text


def test_it_is_paused_by_a_form_of_the_page_only(
    browse: Open, switched: list[tuple[str, str]]
) -> None:
    browser = browse(check=check)
    assert browser.get("/consumers/alerts/pause").status_code == 405
    assert browser.post("/consumers/alerts/pause").status_code == 403
    assert switched == []
    assert "alerts is paused: its events wait." in browser.change("/consumers/alerts/pause").text
    assert switched == [("pause", "alerts")]


def test_a_paused_consumer_can_be_resumed(browse: Open, switched: list[tuple[str, str]]) -> None:
    browser = browse(check=check)
    assert "/consumers/journal/resume" in browser.get("/consumers/journal").text
    assert (
        "journal is resumed: it receives its events again."
        in browser.change("/consumers/journal/resume").text
    )
    assert switched == [("resume", "journal")]


@pytest.mark.usefixtures("switched")
def test_an_unknown_consumer_is_reported(browse: Open) -> None:
    browser = browse(check=check)
    assert "There is no consumer" in browser.get("/consumers/unheard-of").text
    assert "There is no consumer" in browser.change("/consumers/unheard-of/pause").text
