"""The map: its cards, connections and feed."""

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
    """The tags of a page, as a browser would parse them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def with_(self, attribute: str) -> dict[str | None, dict[str, str | None]]:
        """Return the first tag's attributes for each value of an attribute."""
        having = [attrs for _, attrs in reversed(self.found) if attribute in attrs]
        return {attrs[attribute]: attrs for attrs in having}


def test_a_failing_consumer_is_shown_with_its_queue_and_the_others_are_well(browse: Open) -> None:
    page = browse(check=lambda: health(alerts=DOWN)).get("/")
    cards = Tags(page.text).with_("data-consumer")
    assert cards["alerts"]["class"] == "consumer is-failing"
    assert float(cards["alerts"]["data-fill"] or 0) > 0.5
    others = [card for name, card in cards.items() if name != "alerts"]
    assert {card["class"] for card in others} == {"consumer is-well"}
    assert {card["data-fill"] for card in others} == {"0.0"}
    assert "ProviderUnavailable: it answered 503" in page.text
    assert "Traceback" not in page.text


def test_a_tray_links_to_the_dead_letters_of_its_consumer(browse: Open) -> None:
    page = browse(check=lambda: health(notes={"state": "dead", "dead": 3})).get("/")
    links = Tags(page.text).with_("href")
    assert "hidden" not in links["/dead-letters?consumer=notes"]
    assert "hidden" in links["/dead-letters?consumer=alerts"]


def test_each_rule_is_a_connection_in_the_colour_of_its_publisher() -> None:
    drawn = connections(health())
    assert len(drawn) == len(SUBSCRIPTIONS) + len(PUBLISHERS)
    hues = {each["from"]: each["hue"] for each in drawn}
    assert len(set(hues.values())) == len(hues)
    assert hues["*"] == 0


def test_a_source_without_a_publisher_has_a_port_if_a_consumer_subscribes_to_it() -> None:
    stray = replace(
        health(),
        subscriptions=(*SUBSCRIPTIONS, ServiceSubscription("cellar", "journal", ("Burnt",))),
    )
    assert [port.key for port in ports(stray)][-2:] == ["cellar", "*"]


def test_the_page_is_rendered_again_only_after_a_change_of_what_is_deployed() -> None:
    assert shape(health()) == shape(health(alerts=DOWN))
    assert shape(health()) != shape(replace(health(), subscriptions=SUBSCRIPTIONS[1:]))


def test_a_table_has_the_same_as_the_drawing(browse: Open) -> None:
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


def test_a_bus_without_consumers_is_reported(browse: Open) -> None:
    page = browse(check=lambda: SystemHealth(AT, (), (), ())).get("/")
    assert "No consumer subscribes to the bus records-dev." in page.text


def test_a_deployment_that_does_not_answer_is_reported(browse: Open) -> None:
    def check() -> SystemHealth:
        raise UserError("The stage is not deployed.")

    page = browse(check=check).get("/")
    assert page.status_code == 502
    assert "The stage is not deployed." in page.text


def test_changes_are_formatted_as_on_the_page() -> None:
    sent = changes(health(alerts=DOWN))
    alerts = sent["consumers"]["alerts"]
    assert alerts["text"]["waiting"] == "231"
    assert alerts["text"]["oldest"] == "94 s"
    assert alerts["text"]["state"] == "Failing"
    assert sent["publishers"]["sensors"]["rate"] == "4.1/s"
    assert 0 < sent["paces"]["sensors>alerts"] < 1


def test_a_snapshot_is_one_server_sent_event_whatever_it_holds() -> None:
    hostile = "\n\nevent: seen\ndata: {}\n\n"
    text = event(Snapshot(health(alerts={**DOWN, "failures": (failure(hostile),)})))
    assert text.startswith("event: seen\ndata: {")
    assert text.count("\n") == 3
    gone = event(Snapshot(health(), error=f"refused {hostile}"))
    assert gone.count("\n") == 3


def test_a_cloud_that_does_not_answer_is_reported_with_the_time_of_its_last_answer() -> None:
    text = event(Snapshot(health(), error="Could not connect"))
    assert text.startswith("event: gone\n")
    assert "No answer since 12:03:05. Could not connect" in text


@pytest.mark.parametrize("path", ["/", "/map/feed"])
def test_the_map_needs_the_cookie(browse: Open, path: str) -> None:
    browser = browse(check=health)
    browser.cookies.clear()
    assert browser.get(path).status_code == 403
