"""The traffic on the bus, as far as the consumers' logs show it."""

from collections import Counter
from collections.abc import Mapping, Sequence

from patchbay.operations.health.activity import RATE_WINDOW, Attempt
from patchbay.operations.health.health import PublishingService, RecentEvent, ServiceSubscription

NEWEST = 12  # events that are shown as they pass

Attempts = Mapping[str, Sequence[Attempt]]


def rates(
    publishers: Sequence[PublishingService],
    subscriptions: Sequence[ServiceSubscription],
    attempts: Attempts,
) -> dict[tuple[str, str], float]:
    """Return events a second, by publisher and consumer; by publisher and "" for all it sends.

    Whoever sees most of a type tells how many there are: so a cable shows what goes over it to a
    consumer that handles nothing at the moment.
    """
    arrived = {
        name: Counter(each.type for each in tried if each.number == 1)
        for name, tried in attempts.items()
    }
    published: Counter[str] = Counter()
    for counted in arrived.values():
        published |= counted  # the larger of both, type by type
    events = {publisher.name: publisher.events for publisher in publishers}
    everything = tuple(event for each in events.values() for event in each)
    found: dict[tuple[str, str], float] = {}
    for publisher in publishers:
        found[publisher.name, ""] = _per_second(published, publisher.events)
    for subscription in subscriptions:
        # What a filter lets through, only its own consumer can tell.
        seen = (
            arrived.get(subscription.consumer, Counter()) if subscription.is_filtered else published
        )
        types = subscription.events or (
            events.get(subscription.publisher, ()) if subscription.publisher else everything
        )
        key = (subscription.port, subscription.consumer)
        found[key] = found.get(key, 0.0) + _per_second(seen, types)
    return found


def recent_events(
    publishers: Sequence[PublishingService], attempts: Attempts
) -> tuple[RecentEvent, ...]:
    """Return the newest events, newest first, each with the time of its first attempt."""
    of = {event: publisher.name for publisher in publishers for event in publisher.events}
    tried = sorted(
        (each for several in attempts.values() for each in several if each.event_id),
        key=lambda each: each.at,
    )
    first: dict[str, Attempt] = {}
    for each in tried:
        first.setdefault(each.event_id, each)
    newest = list(first.values())[-NEWEST:]
    return tuple(
        RecentEvent(each.at, each.type, each.correlation_id, of.get(each.type))
        for each in reversed(newest)
    )


def _per_second(counted: Counter[str], types: Sequence[str]) -> float:
    return sum(counted[each] for each in types) / RATE_WINDOW.total_seconds()
