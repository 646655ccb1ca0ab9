"""The health of a sample system, a greenhouse."""

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
    PublishingService("reports", ("DayClosed",)),
    PublishingService("trends", ("TrendChanged",)),
    PublishingService("watering", ("BedWatered", "WateringFailed")),
    PublishingService("sensors", ("ReadingTaken",)),
    PublishingService("alerts", ("AlertCleared", "AlertRepeated", "AlertRaised")),
)
SUBSCRIPTIONS = (
    ServiceSubscription("sensors", "reports-frost", ("ReadingTaken",)),
    ServiceSubscription("alerts", "reports-daily", ("AlertRepeated", "AlertRaised")),
    ServiceSubscription("alerts", "watering", ("AlertRaised",)),
    ServiceSubscription(None, "journal", ()),
    ServiceSubscription("sensors", "notes", ("ReadingTaken",)),
    ServiceSubscription("alerts", "notes", ("AlertCleared", "AlertRepeated")),
    ServiceSubscription("watering", "sensors-status", ("BedWatered", "WateringFailed")),
    ServiceSubscription(
        "alerts", "sensors-status", ("AlertCleared", "AlertRepeated", "AlertRaised")
    ),
    ServiceSubscription("sensors", "alerts", ("ReadingTaken",)),
    ServiceSubscription("watering", "alerts-watering", ("WateringFailed",)),
)
NAMES = sorted({subscription.consumer for subscription in SUBSCRIPTIONS})


def failure(reason: str) -> Attempt:
    """Return a failed attempt with that reason."""
    return Attempt(AT, "event-1", "ReadingTaken", "reading-1", 3, age=None, reason=reason)


def well(name: str, **changed: Any) -> ConsumerHealth:
    """Return the health of a consumer that is well, with changes."""
    healthy = ConsumerHealth(name, "well", waiting=0, in_flight=0, dead=0, per_second=4.2, p95=0.31)
    return replace(healthy, **changed)


def health(**changed: dict[str, Any]) -> SystemHealth:
    """Return the health of a system in which all is well, with changes by consumer."""
    consumers = tuple(well(name, **changed.get(name.replace("-", "_"), {})) for name in NAMES)
    rates = {(subscription.port, subscription.consumer): 4.1 for subscription in SUBSCRIPTIONS}
    return SystemHealth(AT, PUBLISHERS, SUBSCRIPTIONS, consumers, rates | {("sensors", ""): 4.1})
