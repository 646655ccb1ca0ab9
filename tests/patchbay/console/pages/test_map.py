"""The map: what is drawn, in what words, and that nothing on it can do any harm."""

import json
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from patchbay.console.feed import Snapshot
from patchbay.console.health_view import changes, connections, ports, shape
from patchbay.console.pages.map import event
from patchbay.errors import UserError
from patchbay.operations.health.health import (
    ConsumerHealth,
    PublishingService,
    ServiceSubscription,
    SystemHealth,
)
from tests.patchbay.console.conftest import Open
from tests.patchbay.operations.health.sample_health import (
    AT,
    PUBLISHERS,
    SUBSCRIPTIONS,
    failure,
    health,
)

DOWN: dict[str, Any] = {
    "state": "failing",
    "waiting": 231,
    "oldest": 94.0,
    "failures": (failure("ProviderUnavailable: it answered 503\nTraceback"),),
}
HOSTILE = "\"><script>alert('1')</script>"


class Tags(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def with_(self, attribute: str) -> dict[str | None, dict[str, str | None]]:
        """The attributes of those that have this one, by its value; of several, the first."""
        those = [attrs for _, attrs in reversed(self.found) if attribute in attrs]
        return {attrs[attribute]: attrs for attrs in those}


def test_the_one_that_fails_is_red_with_a_full_queue_and_the_others_are_well(browse: Open) -> None:
    page = browse(check=lambda: health(alerts=DOWN)).get("/")
    cards = Tags(page.text).with_("data-consumer")
    assert cards["alerts"]["class"] == "consumer is-failing"
    assert float(cards["alerts"]["data-fill"] or 0) > 0.5
    others = [card for name, card in cards.items() if name != "alerts"]
    assert {card["class"] for card in others} == {"consumer is-well"}
    assert {card["data-fill"] for card in others} == {"0.0"}
    assert "ProviderUnavailable: it answered 503" in page.text
    assert "Traceback" not in page.text


def test_the_tray_of_who_has_dead_letters_leads_to_them(browse: Open) -> None:
    page = browse(check=lambda: health(notes={"state": "dead", "dead": 3})).get("/")
    links = Tags(page.text).with_("href")
    assert "hidden" not in links["/dead-letters?consumer=notes"]
    assert "hidden" in links["/dead-letters?consumer=alerts"]


def test_each_rule_is_a_connection_in_the_colour_of_who_publishes() -> None:
    drawn = connections(health())
    assert len(drawn) == len(SUBSCRIPTIONS) + len(PUBLISHERS)
    hues = {each["from"]: each["hue"] for each in drawn}
    assert len(set(hues.values())) == len(hues)
    assert hues["*"] == 0


def test_what_listens_to_a_source_that_nobody_publishes_as_has_a_port_all_the_same() -> None:
    stray = replace(
        health(),
        subscriptions=(*SUBSCRIPTIONS, ServiceSubscription("cellar", "journal", ("Burnt",))),
    )
    assert [port.key for port in ports(stray)][-2:] == ["cellar", "*"]


def test_the_page_is_drawn_anew_only_where_something_was_plugged_in_or_out() -> None:
    assert shape(health()) == shape(health(alerts=DOWN))
    assert shape(health()) != shape(replace(health(), subscriptions=SUBSCRIPTIONS[1:]))


def test_who_can_not_see_the_drawing_has_the_same_in_a_table(browse: Open) -> None:
    page = browse(check=lambda: health(alerts=DOWN)).get("/").text
    table = unescape(page[page.index("<table") : page.index("</table>")])
    for name in ("reports-frost", "alerts", "Failing", "231", "ReadingTaken of sensors", "94 s"):
        assert name in table
    assert "everything" in table


def test_a_hostile_name_is_shown_as_text(browse: Open) -> None:
    consumers = (ConsumerHealth(HOSTILE, "failing", 1, 1, 1, failures=(failure(HOSTILE),)),)
    hostile = SystemHealth(
        AT,
        (PublishingService(HOSTILE, (HOSTILE,)),),
        (ServiceSubscription(HOSTILE, HOSTILE, ()),),
        consumers,
    )
    page = browse(check=lambda: hostile).get("/")
    assert page.status_code == 200
    found = Tags(page.text)
    assert [attrs.get("src") for tag, attrs in found.found if tag == "script"] == [
        "/static/vendor/htmx.min.js",
        "/static/map.js",
        "/static/console.js",
    ]
    assert HOSTILE in found.with_("data-consumer")
    drawn = next(iter(found.with_("data-connections")))
    assert json.loads(drawn or "")[0]["to"] == HOSTILE


def test_a_bus_that_nobody_listens_to_is_said_to_be_so(browse: Open) -> None:
    page = browse(check=lambda: SystemHealth(AT, (), (), ())).get("/")
    assert "No consumer subscribes to the bus records-dev." in page.text


def test_a_deployment_that_does_not_answer_is_said_to_be_so(browse: Open) -> None:
    def check() -> SystemHealth:
        raise UserError("The stage is not deployed.")

    page = browse(check=check).get("/")
    assert page.status_code == 502
    assert "The stage is not deployed." in page.text


def test_what_has_changed_is_sent_in_the_words_that_stand_on_the_page() -> None:
    told = changes(health(alerts=DOWN))
    alerts = told["consumers"]["alerts"]
    assert alerts["text"]["waiting"] == "231"
    assert alerts["text"]["oldest"] == "94 s"
    assert alerts["text"]["state"] == "Failing"
    assert told["publishers"]["sensors"]["rate"] == "4.1/s"
    assert 0 < told["paces"]["sensors>alerts"] < 1


def test_a_look_is_one_event_whatever_is_in_it() -> None:
    hostile = "\n\nevent: seen\ndata: {}\n\n"
    text = event(Snapshot(health(alerts={**DOWN, "failures": (failure(hostile),)})))
    assert text.startswith("event: seen\ndata: {")
    assert text.count("\n") == 3
    gone = event(Snapshot(health(), error=f"refused {hostile}"))
    assert gone.count("\n") == 3


def test_a_cloud_that_is_gone_is_told_with_when_it_was_last_seen() -> None:
    text = event(Snapshot(health(), error="Could not connect"))
    assert text.startswith("event: gone\n")
    assert "No answer since 12:03:05. Could not connect" in text


@pytest.mark.parametrize("path", ["/", "/map/feed"])
def test_the_map_is_for_its_owner_only(browse: Open, path: str) -> None:
    browser = browse(check=health)
    browser.cookies.clear()
    assert browser.get(path).status_code == 403
