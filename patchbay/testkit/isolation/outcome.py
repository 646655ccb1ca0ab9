"""The outcome of a run: the state of a system at rest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from patchbay.testkit.aws.boto import THE_TEST
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.history import Published
from patchbay.testkit.invariants import Invariants
from patchbay.testkit.view import DeadLetter


@dataclass(frozen=True)
class Work:
    """The state of one consumer's events, by their ids."""

    due: frozenset[str]  # events that EventBridge delivered to it, or tried to
    handled: Counter[str]  # how often each was handled
    handled_at: Mapping[str, float]  # seconds since the epoch
    dead: Sequence[DeadLetter]
    undelivered: Sequence[DeadLetter]
    waiting: int


@dataclass(frozen=True)
class Outcome:
    """The state of the whole system."""

    events: Mapping[str, Published]  # by id, from the first publication
    work: Mapping[str, Work]  # by consumer
    publisher: Mapping[str, str]  # of each event: a function, or "the test"
    effects: Mapping[str, object]  # by name; a fault must not change them
    broken: Sequence[str]  # a sentence for each broken invariant of the project
    mails: frozenset[tuple[str, str]]  # recipient and subject
    lost: Sequence[str]
    log: str

    def caused_by(self, consumer: str) -> set[str]:
        """Return the events that the consumer has published, and those that they caused."""
        found: set[str] = set()
        for event in self.events.values():
            if self.publisher[event.id] == consumer or _cause(event) in found:
                found.add(event.id)
        return found

    def refused(self, consumer: str) -> set[str]:
        """Return the events that the test itself published, and that the consumer rejected."""
        return {
            dead_letter.event_id
            for dead_letter in self.work[consumer].dead
            if self.publisher.get(dead_letter.event_id) == THE_TEST
        }

    def latency(self, consumer: str, event_id: str) -> float | None:
        """Return the seconds from publishing to handling; None if it was not handled."""
        handled_at = self.work[consumer].handled_at.get(event_id)
        return None if handled_at is None else handled_at - self.events[event_id].at


def observe(cloud: Cloud, invariants: Invariants[Any]) -> Outcome:
    """Return the outcome of a system at rest."""
    events: dict[str, Published] = {}
    for event in cloud.published():
        events.setdefault(event.id, event)
    return Outcome(
        events=events,
        work={consumer: _work(cloud, consumer) for consumer in cloud.consumers},
        publisher={each: event.by.removeprefix(cloud.prefix) for each, event in events.items()},
        effects=invariants.effects(cloud),
        broken=list(invariants.broken(cloud)),
        mails=frozenset((mail.to, mail.subject) for mail in cloud.mails()),
        lost=cloud.lost,
        log=cloud.log,
    )


def _work(cloud: Cloud, consumer: str) -> Work:
    queue = cloud.queue(consumer).name
    handled = cloud.handled(consumer)
    return Work(
        due=frozenset(
            event.id
            for event in cloud.published()
            if queue in event.undelivered
            or queue in {delivery.queue for delivery in event.deliveries}
        ),
        # A naturally idempotent consumer may handle an event twice: its effects are checked.
        handled=Counter(set(handled) if consumer in cloud.naturally_idempotent else handled),
        handled_at={each: at.timestamp() for each, at in cloud.handled_at(consumer).items()},
        dead=cloud.dead_letters(consumer),
        undelivered=cloud.undelivered(consumer),
        waiting=cloud.waiting(consumer),
    )


def _cause(event: Published) -> str | None:
    cause: str | None = event.detail["metadata"].get("causation_id")
    return cause
