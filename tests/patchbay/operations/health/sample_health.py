"""A board as the record shop's might be."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from patchbay.operations.health.activity import Attempt
from patchbay.operations.health.health import (
    ConsumerHealth,
    PublishingService,
    ServiceSubscription,
    SystemHealth,
)

AT = datetime(2026, 1, 31, 12, 3, 5, tzinfo=UTC)
PUBLISHERS = (
    PublishingService("accounts", ("DayClosed",)),
    PublishingService("bestsellers", ("BestsellerChanged",)),
    PublishingService("fulfilment", ("OrderShipped", "OrderUnfulfillable")),
    PublishingService("orders", ("OrderPlaced",)),
    PublishingService("payments", ("PaymentDeclined", "PaymentRefunded", "PaymentTaken")),
)
SUBSCRIPTIONS = (
    ServiceSubscription("orders", "accounts-gifts", ("OrderPlaced",)),
    ServiceSubscription("payments", "accounts-statement", ("PaymentRefunded", "PaymentTaken")),
    ServiceSubscription("payments", "fulfilment", ("PaymentTaken",)),
    ServiceSubscription(None, "journal", ()),
    ServiceSubscription("orders", "notifications", ("OrderPlaced",)),
    ServiceSubscription("payments", "notifications", ("PaymentDeclined", "PaymentRefunded")),
    ServiceSubscription("fulfilment", "orders-status", ("OrderShipped", "OrderUnfulfillable")),
    ServiceSubscription(
        "payments", "orders-status", ("PaymentDeclined", "PaymentRefunded", "PaymentTaken")
    ),
    ServiceSubscription("orders", "payments", ("OrderPlaced",)),
    ServiceSubscription("fulfilment", "payments-refund", ("OrderUnfulfillable",)),
)
NAMES = sorted({subscription.consumer for subscription in SUBSCRIPTIONS})


def failure(reason: str) -> Attempt:
    """An attempt that failed for that reason."""
    return Attempt(AT, "event-1", "OrderPlaced", "order-1", 3, age=None, reason=reason)


def well(name: str, **changed: Any) -> ConsumerHealth:
    """A consumer to which all goes well."""
    fine = ConsumerHealth(name, "well", waiting=0, in_flight=0, dead=0, per_second=4.2, p95=0.31)
    return replace(fine, **changed)


def health(**changed: dict[str, Any]) -> SystemHealth:
    """A board on which all is well, but for what is changed, by the consumer's name."""
    consumers = tuple(well(name, **changed.get(name.replace("-", "_"), {})) for name in NAMES)
    rates = {(subscription.port, subscription.consumer): 4.1 for subscription in SUBSCRIPTIONS}
    return SystemHealth(AT, PUBLISHERS, SUBSCRIPTIONS, consumers, rates | {("orders", ""): 4.1})
