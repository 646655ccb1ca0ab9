"""A board as the record shop's might be."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from patchbay.operations.health.activity import Attempt
from patchbay.operations.health.health import Board, Cable, Doing, Source

AT = datetime(2026, 1, 31, 12, 3, 5, tzinfo=UTC)
SOURCES = (
    Source("accounts", ("DayClosed",)),
    Source("bestsellers", ("BestsellerChanged",)),
    Source("fulfilment", ("OrderShipped", "OrderUnfulfillable")),
    Source("orders", ("OrderPlaced",)),
    Source("payments", ("PaymentDeclined", "PaymentRefunded", "PaymentTaken")),
)
CABLES = (
    Cable("orders", "accounts-gifts", ("OrderPlaced",)),
    Cable("payments", "accounts-statement", ("PaymentRefunded", "PaymentTaken")),
    Cable("payments", "fulfilment", ("PaymentTaken",)),
    Cable(None, "journal", ()),
    Cable("orders", "notifications", ("OrderPlaced",)),
    Cable("payments", "notifications", ("PaymentDeclined", "PaymentRefunded")),
    Cable("fulfilment", "orders-status", ("OrderShipped", "OrderUnfulfillable")),
    Cable("payments", "orders-status", ("PaymentDeclined", "PaymentRefunded", "PaymentTaken")),
    Cable("orders", "payments", ("OrderPlaced",)),
    Cable("fulfilment", "payments-refund", ("OrderUnfulfillable",)),
)
NAMES = sorted({cable.consumer for cable in CABLES})


def failure(reason: str) -> Attempt:
    """An attempt that failed for that reason."""
    return Attempt(AT, "event-1", "OrderPlaced", "order-1", 3, age=None, reason=reason)


def well(name: str, **changed: Any) -> Doing:
    """A consumer to which all goes well."""
    fine = Doing(name, "well", waiting=0, in_flight=0, dead=0, per_second=4.2, p95=0.31)
    return replace(fine, **changed)


def board(**changed: dict[str, Any]) -> Board:
    """A board on which all is well, but for what is changed, by the consumer's name."""
    consumers = tuple(well(name, **changed.get(name.replace("-", "_"), {})) for name in NAMES)
    rates = {(cable.jack, cable.consumer): 4.1 for cable in CABLES}
    return Board(AT, SOURCES, CABLES, consumers, rates | {("orders", ""): 4.1})
