"""The rendering of journeys, with their deliveries."""

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


TAKEN = entry("taken", "ReadingTaken")
RAISED = entry("raised", "AlertRaised", "taken", after=2)
WATERED = entry("watered", "BedWatered", "raised", after=3)
REFUSED = Failure(START + timedelta(seconds=1), 1, "MessageRejected: not verified")
DOWN = Failure(START + timedelta(seconds=1), 1, "ProviderUnavailable: it answered 503")
HANDLED = Delivery("alerts", failures=[DOWN], handled_at=START + timedelta(seconds=2))
DEAD = Delivery("notes", failures=[REFUSED], is_dead=True)


def rendered(deliveries: dict[str, list[Delivery]]) -> str:
    output = StringIO()
    Console(width=120, file=output).print(render(as_trees([TAKEN, RAISED, WATERED], deliveries)))
    return output.getvalue()


def test_each_event_is_below_its_cause() -> None:
    (root,) = as_trees([TAKEN, RAISED, WATERED], {})
    assert root.entry is TAKEN
    assert [step.entry for step in root.after] == [RAISED]
    assert [step.entry for step in root.after[0].after] == [WATERED]


def test_an_event_without_a_known_cause_is_at_the_top() -> None:
    assert [step.entry for step in as_trees([TAKEN, WATERED], {})] == [TAKEN, WATERED]


def test_each_event_has_its_time_and_the_delay_after_its_cause() -> None:
    text = rendered({})
    assert "ReadingTaken  09:00:00.000" in text
    assert "AlertRaised  09:00:02.000  2.00 s later" in text
    assert "BedWatered  09:00:03.000  1.00 s later" in text


def test_a_handled_event_has_its_delay_and_its_failed_attempts() -> None:
    text = rendered({"taken": [HANDLED]})
    assert "✓ alerts  handled after 2.00 s" in text
    assert "attempt 1  09:00:01.000  ProviderUnavailable: it answered 503" in text


def test_a_dead_letter_has_its_reason() -> None:
    refused = Delivery("alerts", is_dead=True, rejected="no such reading")
    text = rendered({"taken": [DEAD, refused]})
    assert "✗ notes  dead letter after 1 failures" in text
    assert "attempt 1  09:00:01.000  MessageRejected: not verified" in text
    assert "✗ alerts  dead letter: no such reading" in text


def test_an_event_that_is_not_handled_yet_will_be_retried_or_has_no_attempt() -> None:
    text = rendered({"taken": [Delivery("alerts", failures=[DOWN]), Delivery("labels")]})
    assert "↻ alerts  failed so far, will be retried" in text
    assert "… labels  no attempt yet" in text


def test_a_redriven_dead_letter_that_was_handled_is_shown_as_handled() -> None:
    redriven = Delivery("alerts", failures=[DOWN], handled_at=START + timedelta(hours=1))
    assert "✓ alerts  handled after 60 min" in rendered({"taken": [redriven]})


def test_as_json_it_has_the_same_deliveries() -> None:
    (root,) = as_json(as_trees([TAKEN, RAISED], {"taken": [HANDLED, DEAD]}))
    handled, dead = root["consumers"]
    assert (handled["dead_letter"], handled["why"]) == (False, None)
    assert (dead["dead_letter"], dead["why"]) == (True, "MessageRejected: not verified")
    assert [caused["type"] for caused in root["caused"]] == ["AlertRaised"]
