"""What goes over the bus, as far as the consumers' logs tell."""

from collections import Counter
from collections.abc import Mapping, Sequence

from patchbay.operations.health.activity import JUST_NOW, Attempt
from patchbay.operations.health.health import Cable, Passing, Source

NEWEST = 12  # events that are shown as they pass

Attempts = Mapping[str, Sequence[Attempt]]


def rates(
    sources: Sequence[Source], cables: Sequence[Cable], attempts: Attempts
) -> dict[tuple[str, str], float]:
    """Events a second over each cable, by its jack and consumer; and by the source and "".

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
    events = {source.name: source.events for source in sources}
    everything = tuple(event for each in events.values() for event in each)
    found: dict[tuple[str, str], float] = {}
    for source in sources:
        found[source.name, ""] = _per_second(published, source.events)
    for cable in cables:
        # What a filter lets through, only its own consumer can tell.
        seen = arrived.get(cable.consumer, Counter()) if cable.is_filtered else published
        types = cable.events or (events.get(cable.source, ()) if cable.source else everything)
        key = (cable.jack, cable.consumer)
        found[key] = found.get(key, 0.0) + _per_second(seen, types)
    return found


def passing(sources: Sequence[Source], attempts: Attempts) -> tuple[Passing, ...]:
    """The newest events, the newest first, each when it was first seen."""
    of = {event: source.name for source in sources for event in source.events}
    tried = sorted(
        (each for several in attempts.values() for each in several if each.event_id),
        key=lambda each: each.at,
    )
    first: dict[str, Attempt] = {}
    for each in tried:
        first.setdefault(each.event_id, each)
    newest = list(first.values())[-NEWEST:]
    return tuple(
        Passing(each.at, each.type, each.correlation_id, of.get(each.type))
        for each in reversed(newest)
    )


def _per_second(counted: Counter[str], types: Sequence[str]) -> float:
    return sum(counted[each] for each in types) / JUST_NOW.total_seconds()
