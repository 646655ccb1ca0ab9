"""Recent journeys, from the consumers' logs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from patchbay.operations.health.activity import Attempt


@dataclass
class RecentJourney:
    """A journey with a recent attempt."""

    id: str
    first: datetime
    last: datetime
    types: dict[str, str] = field(default_factory=dict)
    """The type of each of its events, by the event's id, oldest first."""
    failing: set[tuple[str, str]] = field(default_factory=set)
    """The consumers whose last attempt failed, each with the event's id."""

    @property
    def newest_type(self) -> str:
        """The type of its newest event."""
        return next(reversed(self.types.values()), "")

    @property
    def failing_consumers(self) -> list[str]:
        """The consumers whose last attempt with one of its events failed."""
        return sorted({consumer for consumer, _ in self.failing})


def recent_journeys(attempts: Mapping[str, Sequence[Attempt]]) -> list[RecentJourney]:
    """Return every journey with an attempt, the most recent activity first."""
    oldest_first = sorted(
        ((consumer, each) for consumer, made in attempts.items() for each in made),
        key=lambda attempt: attempt[1].at,
    )
    found: dict[str, RecentJourney] = {}
    for consumer, each in oldest_first:
        if not each.correlation_id:
            continue  # an event with a broken envelope belongs to no journey
        recent = found.setdefault(
            each.correlation_id, RecentJourney(each.correlation_id, each.at, each.at)
        )
        recent.last = each.at
        recent.types.setdefault(each.event_id, each.type)
        key = (consumer, each.event_id)
        (recent.failing.add if each.failed else recent.failing.discard)(key)
    return sorted(found.values(), key=lambda recent: recent.last, reverse=True)
