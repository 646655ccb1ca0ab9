"""Whether every order got what is its due, and none more: from what the parts hold in the end."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from local.consumers import Consumer, Subscription
from local.tap import Published


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was found in the tables, the ledger, the mails, the queues, and on the bus."""

    accepted: Mapping[str, Decimal]
    """The amount of each order that the shop accepted, by its id."""
    statuses: Mapping[str, str]
    """Of each order in the table, by its id."""
    published: Sequence[Published]
    consumers: Sequence[Consumer]
    handled: Set[tuple[str, str]]
    """Which consumer has handled which event: their names and ids."""
    dead: Set[tuple[str, str]]
    """Which consumer has which event among its dead letters."""
    ledger: Sequence[Mapping[str, Any]]
    mails: Mapping[tuple[str, str], int]
    """How often each mail was sent, by its subject and its order."""


@dataclass(frozen=True)
class Verdict:
    """What went wrong, by order: an empty verdict is a good one."""

    lost: Mapping[str, str]
    charged_twice: Sequence[str]

    def __bool__(self) -> bool:
        """Whether anything went wrong."""
        return bool(self.lost or self.charged_twice)

    def __str__(self) -> str:
        lost = [f"lost: order {order}: {why}" for order, why in self.lost.items()]
        return "\n".join(lost + [f"charged twice: order {order}" for order in self.charged_twice])


def judge(evidence: Evidence) -> Verdict:
    """Hold the evidence against what must hold for every order."""
    events = _by_order(evidence.published)
    charges = _by_order_id(evidence.ledger)
    lost = {}
    for order, amount in evidence.accepted.items():
        missing = _missing(order, amount, events.get(order, []), charges.get(order, []), evidence)
        if why := next(missing, None):
            lost[order] = why
    taken = Counter(
        entry["order_id"]
        for entry in evidence.ledger
        if entry["kind"] == "charge" and entry["status"] == "succeeded"
    )
    return Verdict(lost, [order for order, times in taken.items() if times > 1])


def _missing(
    order: str,
    amount: Decimal,
    events: Sequence[Published],
    charges: Sequence[Mapping[str, Any]],
    evidence: Evidence,
) -> Iterator[str]:
    """Why the order counts as lost, a sentence each; none where it got all that is its due."""
    if order not in evidence.statuses:
        yield "it was accepted, and is not in the table"
    types = {event.detail_type for event in events}
    if "OrderPlaced" not in types:
        yield "it was accepted, and OrderPlaced was never published"
    dead = False
    for event in events:
        for consumer in _subscribers(event, evidence.consumers):
            key = (consumer.name, str(event.event_id))
            dead = dead or key in evidence.dead
            if key not in evidence.handled and key not in evidence.dead:
                yield f"{consumer.name} never handled {event.detail_type} {event.event_id}"
    if dead:
        return  # what waits among the dead letters is not lost, and the rest waits for it
    if amount > 0 and not charges:
        yield "it is not in the payment provider's ledger"
    yield from _wrong_outcome(order, types, evidence)
    yield from _missing_mails(order, types, evidence)


def _wrong_outcome(order: str, types: Set[str], evidence: Evidence) -> Iterator[str]:
    outcomes = {"PaymentTaken": "paid", "PaymentDeclined": "declined"}
    due = {status for event, status in outcomes.items() if event in types}
    status = evidence.statuses.get(order)
    if due != {status}:
        yield f"its status is {status}, and what was published says {sorted(due) or 'nothing'}"


def _missing_mails(order: str, types: Set[str], evidence: Evidence) -> Iterator[str]:
    subjects = {"OrderPlaced": "Order placed", "PaymentDeclined": "Payment declined"}
    if not any(consumer.name == "notifications" for consumer in evidence.consumers):
        return
    for event, subject in subjects.items():
        if event in types and not evidence.mails.get((subject, order)):
            yield f"its customer never got the mail {subject!r}"


def _subscribers(event: Published, consumers: Sequence[Consumer]) -> Iterator[Consumer]:
    route = Subscription(event.source, event.detail_type)
    return (consumer for consumer in consumers if route in consumer.subscriptions)


def _by_order(events: Sequence[Published]) -> dict[str, list[Published]]:
    found: dict[str, list[Published]] = {}
    for event in events:
        if event.order_id and event.event_id:
            found.setdefault(event.order_id, []).append(event)
    return found


def _by_order_id(entries: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        found.setdefault(entry["order_id"], []).append(entry)
    return found
