"""Recent journeys, as far as the consumers' logs show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from patchbay.operations.health.activity import Attempt


@dataclass
class RecentJourney:
    """A journey of which something was seen of late."""

    id: str
    first: datetime
    last: datetime
    types: dict[str, str] = field(default_factory=dict)
    """The type of each of its events, by the event's id, as they were seen."""
    failing: set[tuple[str, str]] = field(default_factory=set)
    """The consumers whose last attempt failed, each with the event."""

    @property
    def newest_type(self) -> str:
        """The type of the event that was seen last."""
        return next(reversed(self.types.values()), "")

    @property
    def failing_consumers(self) -> list[str]:
        """The consumers that have not managed it yet."""
        return sorted({consumer for consumer, _ in self.failing})


def recent_journeys(attempts: Mapping[str, Sequence[Attempt]]) -> list[RecentJourney]:
    """Return every journey with an attempt, the most recent activity first."""
    each_in_turn = sorted(
        ((consumer, each) for consumer, tried in attempts.items() for each in tried),
        key=lambda told: told[1].at,
    )
    found: dict[str, RecentJourney] = {}
    for consumer, each in each_in_turn:
        if not each.correlation_id:
            continue  # it can't be read to which journey it belongs
        recent = found.setdefault(
            each.correlation_id, RecentJourney(each.correlation_id, each.at, each.at)
        )
        recent.last = each.at
        recent.types.setdefault(each.event_id, each.type)
        key = (consumer, each.event_id)
        (recent.failing.add if each.failed else recent.failing.discard)(key)
    return sorted(found.values(), key=lambda recent: recent.last, reverse=True)
