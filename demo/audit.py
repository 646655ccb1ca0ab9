"""The audit of a demo: it finds lost orders, double charges and wrong counts in the final data."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from demo.event_recorder import Published
from patchbay.topology.consumers import Consumer


@dataclass(frozen=True)
class Parcel:
    """The records that a warehouse has reserved for an order."""

    items: int
    state: str
    """One of: held, shipped, released."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The data from the tables, the ledger, the mails, the queues and the bus."""

    accepted: Mapping[str, Decimal]
    """The amount of each accepted order, by its id."""
    statuses: Mapping[str, str]
    """The status of each order in the table, by its id."""
    parcels: Mapping[str, Parcel]
    """The parcel of each order, by the order's id."""
    taken_from_stock: int
    """The number of records that have left the warehouses' stock."""
    visited: Mapping[str, tuple[int, int]]
    """The views and purchases of each record, by its id."""
    counted: Mapping[str, tuple[int, int]]
    """The same, as the bestsellers counted them."""
    published: Sequence[Published]
    consumers: Sequence[Consumer]
    handled: Set[tuple[str, str]]
    """The events in the idempotency tables: pairs of a consumer's name and an event's id."""
    journalled: Set[str]
    """The ids of the events in the journal."""
    booked: Set[tuple[str, str]]
    """The lines of the accounts: pairs of an order's id and the line's kind."""
    dead: Set[tuple[str, str]]
    """The dead letters: pairs of a consumer's name and an event's id."""
    ledger: Sequence[Mapping[str, Any]]
    mails: Mapping[tuple[str, str], int]
    """The number of mails, by subject and order id."""


@dataclass(frozen=True)
class Verdict:
    """The errors that the audit found; false where there is none."""

    lost: Mapping[str, str]
    """The reason for each lost order, by its id."""
    charged_twice: Sequence[str]
    miscounted: Sequence[str] = ()
    """The ids of the records whose views or purchases the bestsellers counted wrongly."""
    missing_from_stock: int = 0
    """The number of records that left the stock and are in no parcel; negative for the reverse."""
    missing_from_books: Decimal = Decimal(0)
    """The dollars that the provider kept and the accounts did not book."""

    def __bool__(self) -> bool:
        """Return whether there is any error."""
        return bool(
            self.lost
            or self.charged_twice
            or self.miscounted
            or self.missing_from_stock
            or self.missing_from_books
        )

    def __str__(self) -> str:
        lost = [f"lost: order {order}: {reason}" for order, reason in self.lost.items()]
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
    """Return the errors in the evidence."""
    events = _by_order(evidence.published)
    charges = _by_order_id(evidence.ledger)
    lost = {}
    for order, amount in evidence.accepted.items():
        missing = _missing(order, amount, events.get(order, []), charges.get(order, []), evidence)
        if reason := next(missing, None):
            lost[order] = reason
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
    """Return the sum of all closed days."""
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
    """Yield the reasons why the order counts as lost; none if it is complete."""
    if order not in evidence.statuses:
        yield "it was accepted, but is not in the table"
    types = {event.detail_type for event in events}
    if "OrderPlaced" not in types:
        yield "it was accepted, but OrderPlaced was never published"
    dead = False
    for event in events:
        in_journal = event.event_id in evidence.journalled
        if not in_journal and ("journal", str(event.event_id)) not in evidence.dead:
            yield f"the journal has no copy of {event.detail_type} {event.event_id}"
        for consumer in (each for each in evidence.consumers if each.takes(event.text)):
            key = (consumer.name, str(event.event_id))
            dead = dead or key in evidence.dead
            if consumer.idempotency_table is None:
                continue  # naturally idempotent: its effects are checked below
            if key not in evidence.handled and key not in evidence.dead:
                yield f"{consumer.name} never handled {event.detail_type} {event.event_id}"
    if dead:
        return  # a dead letter is not lost, and the rest of the order waits for its redrive
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
        yield f"its status is {status}, but its events mean {sorted(due) or 'none'}"
    taken, given_back = _sum(charges, "charge"), _sum(charges, "refund")
    kept = evidence.accepted[order] if "OrderShipped" in types else Decimal(0)
    if taken - given_back != kept:
        yield f"the ledger has ${taken} charged and ${given_back} refunded, but ${kept} is due"
    parcel = evidence.parcels.get(order)
    if parcel and parcel.state == "held":
        yield "its records are reserved, but neither shipped nor released"
    if (parcel is not None and parcel.state == "shipped") != ("OrderShipped" in types):
        yield (
            f"its parcel is {parcel.state if parcel else 'missing'}, "
            "which contradicts its published events"
        )


def _sum(entries: Sequence[Mapping[str, Any]], kind: str) -> Decimal:
    """Return the sum of the successful entries of a kind, in dollars."""
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
            yield f"the accounts have no line for its {kind}"


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
