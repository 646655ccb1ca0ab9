"""Traffic on the bus, from the consumers' logs."""

from collections import Counter
from collections.abc import Mapping, Sequence

from patchbay.operations.health.activity import RATE_WINDOW, Attempt
from patchbay.operations.health.health import PublishingService, RecentEvent, ServiceSubscription

NEWEST = 12  # events that are shown

Attempts = Mapping[str, Sequence[Attempt]]


def rates(
    publishers: Sequence[PublishingService],
    subscriptions: Sequence[ServiceSubscription],
    attempts: Attempts,
) -> dict[tuple[str, str], float]:
    """Return events a second, by publisher and consumer; by publisher and "" for its total.

    The consumer that logs the most events of a type shows how many were published. So the rate to a
    consumer is known also while it handles nothing.
    """
    received = {
        name: Counter(each.type for each in made if each.number == 1)
        for name, made in attempts.items()
    }
    published: Counter[str] = Counter()
    for counts in received.values():
        published |= counts  # the larger of both, for each type
    events = {publisher.name: publisher.events for publisher in publishers}
    everything = tuple(event for each in events.values() for event in each)
    found: dict[tuple[str, str], float] = {}
    for publisher in publishers:
        found[publisher.name, ""] = _per_second(published, publisher.events)
    for subscription in subscriptions:
        # Only the consumer's own log shows how many events match a filter.
        counts = (
            received.get(subscription.consumer, Counter())
            if subscription.is_filtered
            else published
        )
        types = subscription.events or (
            events.get(subscription.publisher, ()) if subscription.publisher else everything
        )
        key = (subscription.port, subscription.consumer)
        found[key] = found.get(key, 0.0) + _per_second(counts, types)
    return found


def recent_events(
    publishers: Sequence[PublishingService], attempts: Attempts
) -> tuple[RecentEvent, ...]:
    """Return the newest events, newest first, each with the time of its first attempt."""
    publisher_of = {event: each.name for each in publishers for event in each.events}
    oldest_first = sorted(
        (each for several in attempts.values() for each in several if each.event_id),
        key=lambda each: each.at,
    )
    first: dict[str, Attempt] = {}
    for each in oldest_first:
        first.setdefault(each.event_id, each)
    newest = list(first.values())[-NEWEST:]
    return tuple(
        RecentEvent(each.at, each.type, each.correlation_id, publisher_of.get(each.type))
        for each in reversed(newest)
    )


def _per_second(counts: Counter[str], types: Sequence[str]) -> float:
    return sum(counts[each] for each in types) / RATE_WINDOW.total_seconds()
