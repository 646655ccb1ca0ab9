"""The verdict names each difference between two outcomes."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from patchbay.testkit.aws.boto import THE_TEST
from patchbay.testkit.history import Published
from patchbay.testkit.isolation.outcome import Outcome, Work
from patchbay.testkit.isolation.verdict import verdict
from patchbay.testkit.view import DeadLetter

DEAD_LETTER = DeadLetter("an id", "ReadingTaken", "it was too hot", "{}")
SILENT = DeadLetter("an id", "ReadingTaken", None, "{}")
READINGS = [f"reading-{number}" for number in range(5)]
ALERTS = [f"alert-{number}" for number in range(3)]
EFFECTS: dict[str, object] = {"the water in tank 7": "5 litres"}

Change = Callable[[Outcome], Outcome]


def event(id: str, type: str, cause: str | None = None) -> Published:
    detail = {"metadata": {"id": id, "causation_id": cause}, "data": {}}
    return Published(id, type, "greenhouse.any", at=0.0, by="", detail=detail)


def handled(*ids: str) -> Work:
    """Return the work of a consumer that has handled each event once, without a delay."""
    times = dict.fromkeys(ids, 0.0)
    return Work(frozenset(ids), Counter(ids), times, dead=[], undelivered=[], waiting=0)


@pytest.fixture
def healthy() -> Outcome:
    """Return an outcome: five readings, alerts for three of them, and `notes` receives all."""
    readings = [event(each, "ReadingTaken") for each in READINGS]
    alerts = [
        event(alert, "AlertRaised", cause)
        for alert, cause in zip(ALERTS, READINGS[: len(ALERTS)], strict=True)
    ]
    return Outcome(
        events={each.id: each for each in [*readings, *alerts]},
        work={
            "alerts": handled(*READINGS),
            "notes": handled(*READINGS, *ALERTS),
            "watering": handled(*ALERTS),
        },
        publisher={**dict.fromkeys(READINGS, "sensors-outbox"), **dict.fromkeys(ALERTS, "alerts")},
        effects=EFFECTS,
        broken=[],
        mails=frozenset({("gardener@example.com", "Bed 7 is hot")}),
        lost=[],
        log="",
    )


def work(consumer: str, **fields: Any) -> Change:
    """Return a change to one consumer's work."""

    def change(outcome: Outcome) -> Outcome:
        changed = {consumer: replace(outcome.work[consumer], **fields)}
        return replace(outcome, work={**outcome.work, **changed})

    return change


def state(**fields: Any) -> Change:
    return lambda outcome: replace(outcome, **fields)


DURING: dict[str, Change] = {
    "notes has 1 dead letters, though only": work("notes", dead=[DEAD_LETTER]),
    "has 1 dead letters, though only alerts": work("notes", undelivered=[DEAD_LETTER]),
    "notes left 2 messages in its queue": work("notes", waiting=2),
    "alerts neither handled ReadingTaken": work("alerts", handled=Counter()),
    "alerts gives no reason for its dead letter ReadingTaken an id": work("alerts", dead=[SILENT]),
    "alerts lost it": state(lost=["alerts lost it"]),
}
AFTER: dict[str, Change] = {
    "notes never received ReadingTaken": work("notes", due=frozenset(ALERTS)),
    "alerts has not handled 5 of the 5 events": work("alerts", handled=Counter()),
    "1 messages are waiting for alerts": work("alerts", waiting=1),
    "alerts has 1 dead letters instead of 0: ReadingTaken": work("alerts", dead=[DEAD_LETTER]),
    "alerts lost it": state(lost=["alerts lost it"]),
    "the mail 'Bed 7 is hot' to gardener@example.com was never sent": state(mails=frozenset()),
    "the water in tank 7: None, but without the fault 5 litres": state(effects={}),
    "bed 7 was watered 2 times": state(broken=["bed 7 was watered 2 times"]),
}


def judge(healthy: Outcome, *, broken: Outcome | None = None, mended: Outcome | None = None) -> str:
    lines = verdict(
        "alerts", healthy=healthy, broken=broken or healthy, mended=mended or healthy, rejected=0
    )
    return "; ".join(lines)


def test_the_healthy_outcome_has_no_violation(healthy: Outcome) -> None:
    assert judge(healthy) == ""


@pytest.mark.parametrize("why", DURING)
def test_a_violation_during_the_fault_is_reported(why: str, healthy: Outcome) -> None:
    assert why in judge(healthy, broken=DURING[why](healthy))


@pytest.mark.parametrize("why", AFTER)
def test_a_violation_after_the_fault_is_reported(why: str, healthy: Outcome) -> None:
    assert why in judge(healthy, mended=AFTER[why](healthy))


def test_an_event_that_is_handled_twice_is_reported(healthy: Outcome) -> None:
    once = healthy.work["alerts"].handled
    mended = work("alerts", handled=once + once)(healthy)
    assert "alerts handled ReadingTaken" in judge(healthy, mended=mended)


def test_a_consumer_may_reject_the_events_that_it_rejects_without_the_fault(
    healthy: Outcome,
) -> None:
    rejected = replace(DEAD_LETTER, event_id="strange")
    strange = replace(
        work("notes", dead=[rejected])(healthy),
        publisher={**healthy.publisher, "strange": THE_TEST},
    )
    assert judge(strange) == ""


def later(outcome: Outcome, consumer: str, seconds: float) -> Outcome:
    times = outcome.work[consumer].handled_at
    late = {event_id: moment + seconds for event_id, moment in times.items()}
    return work(consumer, handled_at=late)(outcome)


def published_later(outcome: Outcome, detail_type: str, seconds: float) -> Outcome:
    events = {
        event_id: replace(each, at=each.at + seconds) if each.type == detail_type else each
        for event_id, each in outcome.events.items()
    }
    return replace(outcome, events=events)


def test_a_delay_of_another_consumer_is_reported(healthy: Outcome) -> None:
    found = judge(healthy, mended=later(healthy, "notes", 7.5))
    assert "notes handled 8 events at another time" in found
    assert "7.500 s after it was due, and 0.000 s when alerts had no fault" in found


def test_events_that_the_faulty_consumer_publishes_may_be_as_late_as_it_is(
    healthy: Outcome,
) -> None:
    in_step = later(published_later(healthy, "AlertRaised", 60), "watering", 60)
    assert "watering" not in judge(healthy, mended=in_step)
    assert "watering" in judge(healthy, mended=later(in_step, "watering", 1))


def test_events_that_other_consumers_publish_may_not_be_late(healthy: Outcome) -> None:
    late = later(published_later(healthy, "ReadingTaken", 60), "notes", 60)
    assert "notes handled 8 events at another time" in judge(healthy, mended=late)
