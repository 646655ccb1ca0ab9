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
        source="greenhouse.sensors",
        published_at=START + timedelta(seconds=after),
        causation_id=causation_id,
        correlation_id="reading-1",
        data={},
    )


TAKEN_ = entry("placed", "ReadingTaken")
TAKEN = entry("taken", "AlertRaised", "placed", after=2)
SHIPPED = entry("shipped", "BedWatered", "taken", after=3)
REFUSED = Failure(START + timedelta(seconds=1), 1, "MessageRejected: not verified")
DOWN = Failure(START + timedelta(seconds=1), 1, "ProviderUnavailable: it answered 503")
PAID = Delivery("alerts", failures=[DOWN], handled_at=START + timedelta(seconds=2))
UNSENT = Delivery("notes", failures=[REFUSED], is_dead=True)


def told(done: dict[str, list[Delivery]]) -> str:
    shown = StringIO()
    Console(width=120, file=shown).print(render(as_trees([TAKEN_, TAKEN, SHIPPED], done)))
    return shown.getvalue()


def test_each_event_stands_below_the_one_that_caused_it() -> None:
    (root,) = as_trees([TAKEN_, TAKEN, SHIPPED], {})
    assert root.entry is TAKEN_
    assert [step.entry for step in root.after] == [TAKEN]
    assert [step.entry for step in root.after[0].after] == [SHIPPED]


def test_an_event_whose_cause_is_not_known_stands_at_the_top() -> None:
    assert [step.entry for step in as_trees([TAKEN_, SHIPPED], {})] == [TAKEN_, SHIPPED]


def test_it_says_when_each_was_published_and_how_long_after_its_cause() -> None:
    text = told({})
    assert "ReadingTaken  09:00:00.000" in text
    assert "AlertRaised  09:00:02.000  2.00 s later" in text
    assert "BedWatered  09:00:03.000  1.00 s later" in text


def test_it_says_who_handled_what_after_how_long_and_what_failed_before() -> None:
    text = told({"placed": [PAID]})
    assert "✓ alerts  handled after 2.00 s" in text
    assert "attempt 1  09:00:01.000  ProviderUnavailable: it answered 503" in text


def test_it_says_who_gave_up_and_why() -> None:
    refused = Delivery("alerts", is_dead=True, rejected="no such reading")
    text = told({"placed": [UNSENT, refused]})
    assert "✗ notes  dead letter after 1 failures" in text
    assert "attempt 1  09:00:01.000  MessageRejected: not verified" in text
    assert "✗ alerts  dead letter: no such reading" in text


def test_it_says_who_is_still_at_it() -> None:
    text = told({"placed": [Delivery("alerts", failures=[DOWN]), Delivery("labels")]})
    assert "↻ alerts  failed so far, will be retried" in text
    assert "… labels  no attempt yet" in text


def test_what_was_put_back_and_handled_is_no_dead_letter_any_more() -> None:
    done = Delivery("alerts", failures=[DOWN], handled_at=START + timedelta(hours=1))
    assert "✓ alerts  handled after 60 min" in told({"placed": [done]})


def test_for_machines_it_is_the_same_as_json() -> None:
    (told,) = as_json(as_trees([TAKEN_, TAKEN], {"placed": [PAID, UNSENT]}))
    paid, unsent = told["consumers"]
    assert (paid["dead_letter"], paid["why"]) == (False, None)
    assert (unsent["dead_letter"], unsent["why"]) == (True, "MessageRejected: not verified")
    assert [caused["type"] for caused in told["caused"]] == ["AlertRaised"]
