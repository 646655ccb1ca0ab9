"""Each thing that the verdict looks at, by an outcome that differs in nothing else."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from patchbay.testkit.isolation.matrix import Matrix
from patchbay.testkit.isolation.outcome import Outcome
from patchbay.testkit.isolation.verdict import verdict
from patchbay.testkit.templates import Templates
from patchbay.testkit.view import DeadLetter

LETTER = DeadLetter("an id", "OrderPlaced", "it was too much", "{}")
SILENT = DeadLetter("an id", "OrderPlaced", None, "{}")

Change = Callable[[Outcome], Outcome]


@pytest.fixture(scope="module")
def healthy(templates: Templates) -> Outcome:
    return Matrix(templates).healthy


def work(consumer: str, **fields: Any) -> Change:
    """What makes one consumer's work another."""

    def change(outcome: Outcome) -> Outcome:
        changed = {consumer: replace(outcome.work[consumer], **fields)}
        return replace(outcome, work={**outcome.work, **changed})

    return change


def state(**fields: Any) -> Change:
    return lambda outcome: replace(outcome, **fields)


DURING: dict[str, Change] = {
    "notifications has 1 dead letters, though only": work("notifications", dead=[LETTER]),
    "has 1 dead letters, though only payments": work("notifications", undelivered=[LETTER]),
    "notifications left 2 messages in its queue": work("notifications", waiting=2),
    "payments neither handled OrderPlaced": work("payments", handled=Counter()),
    "payments does not say why OrderPlaced an id failed": work("payments", dead=[SILENT]),
    "payments lost it": state(lost=["payments lost it"]),
}
AFTER: dict[str, Change] = {
    "notifications was never given OrderPlaced": work("notifications", due=frozenset()),
    "payments has not handled 5 of the 5 events": work("payments", handled=Counter()),
    "1 messages wait for payments": work("payments", waiting=1),
    "payments has 1 dead letters, and not 0: OrderPlaced": work("payments", dead=[LETTER]),
    "payments lost it": state(lost=["payments lost it"]),
    "the mail 'Order placed' to": state(mails=frozenset()),
    "is in the ledger 0 times, and should be 1 times": state(charges=Counter()),
    "ends None, and ends": state(orders={}),
    "has no balance, and should have $": state(balances={}),
    "is None, and should be shipped": state(parcels={}),
}


def judge(healthy: Outcome, *, broken: Outcome | None = None, mended: Outcome | None = None) -> str:
    lines = verdict(
        "payments", healthy=healthy, broken=broken or healthy, mended=mended or healthy, rejected=0
    )
    return "; ".join(lines)


def test_a_run_like_the_healthy_one_is_fine(healthy: Outcome) -> None:
    assert judge(healthy) == ""


@pytest.mark.parametrize("why", DURING)
def test_what_is_wrong_during_the_trouble_is_told(why: str, healthy: Outcome) -> None:
    assert why in judge(healthy, broken=DURING[why](healthy))


@pytest.mark.parametrize("why", AFTER)
def test_what_is_wrong_after_the_trouble_is_told(why: str, healthy: Outcome) -> None:
    assert why in judge(healthy, mended=AFTER[why](healthy))


def test_what_is_handled_twice_is_told(healthy: Outcome) -> None:
    once = healthy.work["payments"].handled
    mended = work("payments", handled=once + once)(healthy)
    assert "payments handled OrderPlaced" in judge(healthy, mended=mended)


def later(outcome: Outcome, consumer: str, seconds: float) -> Outcome:
    times = outcome.work[consumer].handled_at
    late = {event_id: moment + seconds for event_id, moment in times.items()}
    return work(consumer, handled_at=late)(outcome)


def published_later(outcome: Outcome, detail_type: str, seconds: float) -> Outcome:
    events = {
        event_id: replace(event, at=event.at + seconds) if event.type == detail_type else event
        for event_id, event in outcome.events.items()
    }
    return replace(outcome, events=events)


def test_another_consumer_that_is_late_is_told(healthy: Outcome) -> None:
    told = judge(healthy, mended=later(healthy, "notifications", 7.5))
    assert "notifications handled 7 events at another time" in told
    assert "7.500 s after it was due, and 0.000 s when payments was well" in told


def test_what_the_consumer_itself_publishes_may_be_as_late_as_it_is(healthy: Outcome) -> None:
    late = healthy
    for caused in sorted({event.type for event in healthy.events.values()} - {"OrderPlaced"}):
        late = published_later(late, caused, 60)
    in_step = later(late, "orders-status", 60)
    assert "orders-status" not in judge(healthy, mended=in_step)
    assert "orders-status" in judge(healthy, mended=later(in_step, "orders-status", 1))


def test_what_others_publish_may_not_be_late_with_it(healthy: Outcome) -> None:
    late = published_later(published_later(healthy, "OrderPlaced", 60), "PaymentDeclined", 60)
    told = judge(healthy, mended=later(late, "notifications", 60))
    assert "notifications handled 6 events at another time" in told
