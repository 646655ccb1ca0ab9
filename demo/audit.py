"""Judges, by what all parts hold in the end, whether every order got its due, and no more."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from demo.event_recorder import Published
from patchbay.topology.consumers import Consumer


@dataclass(frozen=True)
class Parcel:
    """What a warehouse has set aside for an order."""

    items: int
    state: str
    """Held, shipped, or released."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was found in the tables, the ledger, the mails, the queues, and on the bus."""

    accepted: Mapping[str, Decimal]
    """The amount of each order that the shop accepted, by its id."""
    statuses: Mapping[str, str]
    """Of each order in the table, by its id."""
    parcels: Mapping[str, Parcel]
    """What is set aside for each order, or has been, by its id."""
    taken_from_stock: int
    """How many records the warehouses have less than in the beginning."""
    visited: Mapping[str, tuple[int, int]]
    """How often each record was looked at and bought, by its id."""
    counted: Mapping[str, tuple[int, int]]
    """The same as the bestsellers have it."""
    published: Sequence[Published]
    consumers: Sequence[Consumer]
    handled: Set[tuple[str, str]]
    """Which consumer notes that it has handled which event: their names and ids."""
    journalled: Set[str]
    """The ids of the events of which the journal has a copy."""
    booked: Set[tuple[str, str]]
    """The orders that the accounts have a line of, each with the line's kind."""
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
    miscounted: Sequence[str] = ()
    """The records that the bestsellers have not counted as often as they were seen."""
    missing_from_stock: int = 0
    """Records that left the warehouses, and are in no parcel; or the other way, if negative."""
    missing_from_books: Decimal = Decimal(0)
    """Dollars that the provider has taken and not given back, and the accounts don't know of."""

    def __bool__(self) -> bool:
        """Whether anything went wrong."""
        return bool(
            self.lost
            or self.charged_twice
            or self.miscounted
            or self.missing_from_stock
            or self.missing_from_books
        )

    def __str__(self) -> str:
        lost = [f"lost: order {order}: {why}" for order, why in self.lost.items()]
        twice = [f"charged twice: order {order}" for order in self.charged_twice]
        twice += [f"miscounted: {record}" for record in self.miscounted]
        stock = [f"the stock does not add up: {self.missing_from_stock} records are missing"]
        books = [f"the books do not add up: ${self.missing_from_books} are missing"]
        return "\n".join(
            lost
            + twice
            + (stock if self.missing_from_stock else [])
            + (books if self.missing_from_books else [])
        )


def judge(evidence: Evidence) -> Verdict:
    """Return what is wrong in the evidence, order by order."""
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
    in_parcels = sum(each.items for each in evidence.parcels.values() if each.state != "released")
    return Verdict(
        lost,
        charged_twice=[order for order, times in taken.items() if times > 1],
        miscounted=[
            record
            for record in sorted({*evidence.visited, *evidence.counted})
            if evidence.visited.get(record) != evidence.counted.get(record)
        ],
        missing_from_stock=evidence.taken_from_stock - in_parcels,
        missing_from_books=_kept(evidence.ledger) - _booked(evidence.published),
    )


def _kept(ledger: Sequence[Mapping[str, Any]]) -> Decimal:
    return _sum(ledger, "charge") - _sum(ledger, "refund")


def _booked(published: Sequence[Published]) -> Decimal:
    """Return the sum of all days that were closed."""
    days = [event.data for event in published if event.detail_type == "DayClosed"]
    return sum(
        (Decimal(str(day["taken"])) - Decimal(str(day["refunded"])) for day in days), Decimal(0)
    )


def _missing(
    order: str,
    amount: Decimal,
    events: Sequence[Published],
    charges: Sequence[Mapping[str, Any]],
    evidence: Evidence,
) -> Iterator[str]:
    """Yield the reasons why the order counts as lost; none where it got all its due."""
    if order not in evidence.statuses:
        yield "it was accepted, and is not in the table"
    types = {event.detail_type for event in events}
    if "OrderPlaced" not in types:
        yield "it was accepted, and OrderPlaced was never published"
    dead = False
    for event in events:
        in_journal = event.event_id in evidence.journalled
        if not in_journal and ("journal", str(event.event_id)) not in evidence.dead:
            yield f"the journal has no copy of {event.detail_type} {event.event_id}"
        for consumer in (each for each in evidence.consumers if each.takes(event.text)):
            key = (consumer.name, str(event.event_id))
            dead = dead or key in evidence.dead
            if consumer.idempotency_table is None:
                continue  # it notes nothing: what it has done is among what follows
            if key not in evidence.handled and key not in evidence.dead:
                yield f"{consumer.name} never handled {event.detail_type} {event.event_id}"
    if dead:
        return  # what waits among the dead letters is not lost, and the rest waits for it
    if amount > 0 and not charges:
        yield "it is not in the payment provider's ledger"
    yield from _wrong_outcome(order, types, charges, evidence)
    yield from _missing_lines(order, amount, types, evidence)
    yield from _missing_mails(order, types, evidence)


def _wrong_outcome(
    order: str, types: Set[str], charges: Sequence[Mapping[str, Any]], evidence: Evidence
) -> Iterator[str]:
    ends = {
        "PaymentDeclined": "declined",
        "OrderShipped": "shipped",
        "PaymentRefunded": "refunded",
    }
    due = {status for event, status in ends.items() if event in types}
    status = evidence.statuses.get(order)
    if due != {status}:
        yield f"its status is {status}, and what was published says {sorted(due) or 'nothing'}"
    taken, given_back = _sum(charges, "charge"), _sum(charges, "refund")
    kept = evidence.accepted[order] if "OrderShipped" in types else Decimal(0)
    if taken - given_back != kept:
        yield f"the ledger holds ${taken} taken and ${given_back} refunded, and not ${kept}"
    parcel = evidence.parcels.get(order)
    if parcel and parcel.state == "held":
        yield "its records are set aside, and neither shipped nor given back"
    if (parcel is not None and parcel.state == "shipped") != ("OrderShipped" in types):
        yield f"its parcel is {parcel.state if parcel else 'missing'}, which nobody was told"


def _sum(entries: Sequence[Mapping[str, Any]], kind: str) -> Decimal:
    """Return the sum of what succeeded of that kind, in dollars."""
    amounts = (
        Decimal(str(entry["amount"]))
        for entry in entries
        if entry["kind"] == kind and entry["status"] == "succeeded"
    )
    return sum(amounts, Decimal(0))


def _missing_lines(
    order: str, amount: Decimal, types: Set[str], evidence: Evidence
) -> Iterator[str]:
    kinds = {"PaymentTaken": "payment", "PaymentRefunded": "refund"}
    if amount == 0:
        kinds |= {"OrderPlaced": "gift"}
    for event, kind in kinds.items():
        if event in types and (order, kind) not in evidence.booked:
            yield f"the accounts have no line of its {kind}"


def _missing_mails(order: str, types: Set[str], evidence: Evidence) -> Iterator[str]:
    subjects = {
        "OrderPlaced": "Order placed",
        "PaymentDeclined": "Payment declined",
        "PaymentRefunded": "Payment refunded",
    }
    if not any(consumer.name == "notifications" for consumer in evidence.consumers):
        return
    for event, subject in subjects.items():
        if event in types and not evidence.mails.get((subject, order)):
            yield f"its customer never got the mail {subject!r}"


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
