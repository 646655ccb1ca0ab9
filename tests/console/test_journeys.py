"""The page "Journeys": the recent journeys, and the time line of one."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from patchbay.console.pages import journeys
from patchbay.console.pages.journeys import EVENTS, ON_A_PAGE
from patchbay.console.timeline import MAX_JSON, event_json, time_line
from patchbay.operations.clients import Clients
from patchbay.operations.health.activity import Attempt
from patchbay.operations.health.health import SystemHealth
from patchbay.operations.journeys.deliveries import Delivery, Failure
from patchbay.operations.journeys.journal import Entry
from patchbay.operations.journeys.journey import Step, as_trees
from patchbay.testkit.faults import Undeliverable
from tests.patchbay.console.conftest import Open
from tests.patchbay.console.pages.test_map import Tags
from tests.patchbay.operations.health.sample_health import AT, health
from tests.shop import Shop

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
HOSTILE = "\"'><script>alert('1')</script>\x1b[2J\u202e{{ 7 * 7 }}"


def entry(
    id: str, type: str = "OrderPlaced", causation_id: str | None = None, **more: Any
) -> Entry:
    known = Entry(id, type, "shop.orders", START, causation_id, "order-1", {"items": 1})
    return replace(known, **more)


def attempts(journeys: int, *, reason: str | None = None) -> list[Attempt]:
    return [
        Attempt(
            AT + timedelta(milliseconds=number),
            f"event-{number}",
            "OrderPlaced",
            f"order-{number}",
            1,
            age=0.1,
            reason=reason,
        )
        for number in range(journeys)
    ]


def with_attempts(**by_consumer: Sequence[Attempt]) -> Callable[[], SystemHealth]:
    return lambda: replace(health(), attempts=by_consumer)


@pytest.fixture
def every_journey_is(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Step]], None]:
    """Return a function that replaces every journey by these steps."""

    def replace_by(steps: list[Step]) -> None:
        def journey(clients: Clients, stage: str, id: str, most: int) -> list[Step]:
            return steps

        monkeypatch.setattr(journeys, "journey", journey)

    return replace_by


def test_the_recent_journeys_are_listed_by_page_and_counted(browse: Open) -> None:
    browser = browse(check=with_attempts(journal=attempts(10_000)))
    first = browser.get("/journeys").text
    assert "1 to 50 of 10,000" in first
    assert first.count('href="/journeys?id=') == ON_A_PAGE
    assert first.index("order-9999") < first.index("order-9998")
    second = browser.get("/journeys?page=2").text
    assert "51 to 100 of 10,000" in second
    assert 'href="/journeys?page=1"' in second


@pytest.mark.parametrize("page", ["0", "-1", "x", "²", "9" * 5000, ""])
def test_an_invalid_page_number_is_no_error(browse: Open, page: str) -> None:
    answer = browse(check=with_attempts(journal=attempts(60))).get(
        "/journeys", params={"page": page}
    )
    assert answer.status_code == 200


def test_failing_journeys_can_be_listed_alone(browse: Open) -> None:
    broken = attempts(1, reason="it is down")
    shown = browse(check=with_attempts(journal=attempts(60), payments=broken)).get(
        "/journeys?failing=yes"
    )
    assert "1 to 1 of 1 journeys" in shown.text
    assert "order-0" in shown.text
    assert "payments" in shown.text


def test_without_recent_journeys_the_page_says_so(browse: Open) -> None:
    assert (
        "No journey had activity in the last 15 minutes."
        in browse(check=with_attempts()).get("/journeys").text
    )


def test_an_order_of_the_shop_is_found_by_its_id_and_by_each_of_its_events(
    browse: Open, cloud: Shop
) -> None:
    cloud.break_("notifications", with_=Undeliverable())
    cloud.break_("payments", with_=ConnectionError("the provider is down"), times=2)
    order = cloud.place_order()
    cloud.advance(days=2)
    browser = browse(cloud)
    page = browser.get("/journeys", params={"id": order.order_id})
    assert page.status_code == 200
    for text in ("OrderPlaced", "PaymentTaken", "OrderShipped", "its workflow succeeded"):
        assert text in page.text
    assert "2 failed attempts" in page.text
    assert "ConnectionError: the provider is down" in page.text
    assert "never delivered: " in page.text
    assert 'href="/dead-letters?consumer=notifications"' in page.text
    assert browser.get("/journeys", params={"id": order.event_id}).text.count("<li class=") == (
        page.text.count("<li class=")
    )


def test_an_unknown_id_is_reported_and_can_be_corrected(browse: Open, cloud: Shop) -> None:
    page = browse(cloud).get("/journeys", params={"id": "order-x"})
    assert page.status_code == 404
    assert "has no journey &#39;order-x&#39;" in page.text
    assert Tags(page.text).with_("name")["id"]["value"] == "order-x"


def test_failed_attempts_are_ticks_and_a_dead_letter_ends_the_bar_with_its_reason() -> None:
    failures = [Failure(START + timedelta(seconds=each), each, "it is down") for each in (1, 2)]
    dead = Delivery("payments", failures=failures, is_dead=True, dead_at=failures[-1].at)
    paid = Delivery("journal", handled_at=START + timedelta(seconds=4))
    waits = Delivery("loyalty")
    (row,) = time_line([Step(entry("1"), [dead, paid, waits])]).rows
    bars = {bar.consumer: bar for bar in row.bars}
    assert list(bars["payments"].ticks) == [25, 50]
    assert (bars["payments"].end, bars["payments"].ends_dead) == (50, True)
    assert bars["payments"].outcome == "dead letter: it is down"
    assert (bars["journal"].x, bars["journal"].end, bars["journal"].kind) == (0, 100, "well")
    assert (bars["loyalty"].is_open, bars["loyalty"].end) == (True, 100)


def test_events_that_claim_to_cause_each_other_are_shown() -> None:
    circle = [
        entry("1", causation_id="1"),
        entry("2", causation_id="3"),
        entry("3", causation_id="2"),
    ]
    shown = time_line(as_trees(circle, {})).rows
    assert sorted(row.id for row in shown) == ["1", "2", "3"]


def test_a_chain_of_thousands_of_events_is_cut(
    browse: Open, every_journey_is: Callable[[list[Step]], None]
) -> None:
    chain = [entry(str(each), causation_id=str(each - 1)) for each in range(5000)]
    every_journey_is(as_trees(chain, {}))
    page = browse().get("/journeys?id=order-1")
    assert page.text.count('<li class="event ') == EVENTS
    assert f"Only its first {EVENTS} events are shown" in page.text


def test_hostile_content_is_shown_as_text(
    browse: Open, every_journey_is: Callable[[list[Step]], None]
) -> None:
    failure = Failure(START, 1, HOSTILE)
    delivery = Delivery(HOSTILE, failures=[failure], is_dead=True, rejected=HOSTILE)
    hostile = entry(
        HOSTILE, HOSTILE, source=HOSTILE, correlation_id=HOSTILE, data={HOSTILE: [HOSTILE]}
    )
    every_journey_is([Step(hostile, [delivery])])
    page = browse().get("/journeys", params={"id": "order-1"})
    assert page.status_code == 200
    found = Tags(page.text).found
    scripts = [attributes.get("src") for tag, attributes in found if tag == "script"]
    assert scripts == ["/static/vendor/htmx.min.js", "/static/console.js"]
    assert not [attributes for _, attributes in found if "style" in attributes]
    assert "{{ 7 * 7 }}" in page.text
    assert "\x1b" not in page.text
    listed = browse(
        check=with_attempts(**{HOSTILE: [replace(attempts(1)[0], correlation_id=HOSTILE)]})
    )
    text = listed.get("/journeys").text
    assert "<script>alert" not in text
    assert "\x1b" not in text


def nested(levels: int) -> Any:
    found: Any = "the innermost"
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize(
    "data",
    [
        {"text": "x" * 2**20},
        {"many": list(range(100_000))},
        {"deep": nested(5000)},
        {"wrong": [None, True, 1e308, -0.0, "\ud800", "\x00"]},
        None,
        {},
    ],
    ids=["large", "long", "deep", "wrong", "none", "empty"],
)
def test_whatever_an_event_holds_its_json_is_shown_and_cut(
    browse: Open, every_journey_is: Callable[[list[Step]], None], data: Any
) -> None:
    every_journey_is([Step(entry("1", data=data), [])])
    page = browse().get("/journeys?id=order-1")
    assert page.status_code == 200
    assert len(page.content) < 50_000


def test_an_events_json_is_indented_and_cut() -> None:
    text = event_json(entry("1", data={"items": 1, "title": "Tannhäuser"}))
    assert json.loads(text)["data"] == {"items": 1, "title": "Tannhäuser"}
    assert "Tannhäuser" in text
    assert len(event_json(entry("1", data={"text": "x" * 2**20}))) < MAX_JSON + 100
