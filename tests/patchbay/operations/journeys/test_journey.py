"""How a journey is told: from what the journal, the logs and the dead letters say."""

from datetime import UTC, datetime, timedelta
from io import StringIO

from rich.console import Console

from patchbay.operations.journeys.deliveries import Delivery, Failure
from patchbay.operations.journeys.journal import Entry
from patchbay.operations.journeys.journey import as_json, as_trees, render

START = datetime(2026, 1, 31, 9, tzinfo=UTC)


def entry(id: str, type: str, causation_id: str | None = None, *, after: float = 0) -> Entry:
    return Entry(
        id=id,
        type=type,
        source="shop.orders",
        published_at=START + timedelta(seconds=after),
        causation_id=causation_id,
        correlation_id="order-1",
        data={},
    )


PLACED = entry("placed", "OrderPlaced")
TAKEN = entry("taken", "PaymentTaken", "placed", after=2)
SHIPPED = entry("shipped", "OrderShipped", "taken", after=3)
REFUSED = Failure(START + timedelta(seconds=1), 1, "MessageRejected: not verified")
DOWN = Failure(START + timedelta(seconds=1), 1, "ProviderUnavailable: it answered 503")
PAID = Delivery("payments", failures=[DOWN], handled_at=START + timedelta(seconds=2))
UNSENT = Delivery("notifications", failures=[REFUSED], is_dead=True)


def told(done: dict[str, list[Delivery]]) -> str:
    shown = StringIO()
    Console(width=120, file=shown).print(render(as_trees([PLACED, TAKEN, SHIPPED], done)))
    return shown.getvalue()


def test_each_event_stands_below_the_one_that_caused_it() -> None:
    (root,) = as_trees([PLACED, TAKEN, SHIPPED], {})
    assert root.entry is PLACED
    assert [step.entry for step in root.after] == [TAKEN]
    assert [step.entry for step in root.after[0].after] == [SHIPPED]


def test_an_event_whose_cause_is_not_known_stands_at_the_top() -> None:
    assert [step.entry for step in as_trees([PLACED, SHIPPED], {})] == [PLACED, SHIPPED]


def test_it_says_when_each_was_published_and_how_long_after_its_cause() -> None:
    text = told({})
    assert "OrderPlaced  09:00:00.000" in text
    assert "PaymentTaken  09:00:02.000  2.00 s later" in text
    assert "OrderShipped  09:00:03.000  1.00 s later" in text


def test_it_says_who_handled_what_after_how_long_and_what_failed_before() -> None:
    text = told({"placed": [PAID]})
    assert "✓ payments  handled after 2.00 s" in text
    assert "attempt 1  09:00:01.000  ProviderUnavailable: it answered 503" in text


def test_it_says_who_gave_up_and_why() -> None:
    refused = Delivery("payments", is_dead=True, rejected="no such order")
    text = told({"placed": [UNSENT, refused]})
    assert "✗ notifications  dead letter after 1 failures" in text
    assert "attempt 1  09:00:01.000  MessageRejected: not verified" in text
    assert "✗ payments  dead letter: no such order" in text


def test_it_says_who_is_still_at_it() -> None:
    text = told({"placed": [Delivery("payments", failures=[DOWN]), Delivery("loyalty")]})
    assert "↻ payments  failed so far, and will be tried again" in text
    assert "… loyalty  has not come to it yet" in text


def test_what_was_put_back_and_handled_is_no_dead_letter_any_more() -> None:
    done = Delivery("payments", failures=[DOWN], handled_at=START + timedelta(hours=1))
    assert "✓ payments  handled after 60 min" in told({"placed": [done]})


def test_for_machines_it_is_the_same_as_json() -> None:
    (told,) = as_json(as_trees([PLACED, TAKEN], {"placed": [PAID, UNSENT]}))
    paid, unsent = told["consumers"]
    assert (paid["dead_letter"], paid["why"]) == (False, None)
    assert (unsent["dead_letter"], unsent["why"]) == (True, "MessageRejected: not verified")
    assert [caused["type"] for caused in told["caused"]] == ["PaymentTaken"]
