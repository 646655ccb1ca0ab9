"""The health of a stage at one moment: publishers, subscriptions and consumers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from patchbay.operations.dead_letters.dead_letter import DeadLetterQueue
from patchbay.operations.health.activity import Attempt

State = Literal["well", "failing", "behind", "paused", "dead"]


@dataclass(frozen=True)
class PublishingService:
    """A service that publishes, and its events."""

    name: str
    events: tuple[str, ...]


@dataclass(frozen=True)
class ServiceSubscription:
    """A consumer's subscription to a service's events, by a rule of the bus."""

    publisher: str | None
    """None if the rule matches the events of every service."""
    consumer: str
    events: tuple[str, ...]
    """Empty if the rule matches all events of the publisher."""
    is_filtered: bool = False
    """True if the rule's pattern looks at the event's data too."""

    @property
    def port(self) -> str:
        """The publisher's name, or "*" for all publishers: the line's start on the map."""
        return self.publisher or "*"


@dataclass(frozen=True)
class ConsumerHealth:
    """The health of a consumer."""

    name: str
    state: State
    waiting: int
    in_flight: int
    """Received and not deleted: in the function, or hidden until the next attempt."""
    dead: int
    """The dead letters in all of its dead-letter queues."""
    oldest: float | None = None
    """The age in seconds of the oldest message in its queue; None if CloudWatch has no metric."""
    handled: int = 0
    """The number of attempts that succeeded in the last 15 minutes."""
    failed: int = 0
    """The number of attempts that failed in the last 15 minutes."""
    at_least: bool = False
    """True if there were more attempts than could be read."""
    per_second: float | None = None
    """Events handled a second; None if it is not known."""
    p95: float | None = None
    """The 95th percentile of the seconds from published to handled."""
    failures: tuple[Attempt, ...] = ()
    """The newest failed attempts, oldest first."""
    queue: str = ""
    log_group: str = ""

    @property
    def queued(self) -> int:
        """The number of messages in its queue."""
        return self.waiting + self.in_flight

    @property
    def last_error(self) -> str | None:
        """The reason of its last failure."""
        return self.failures[-1].reason if self.failures else None


@dataclass(frozen=True)
class RecentEvent:
    """An event that was on the bus recently."""

    at: datetime
    type: str
    correlation_id: str
    publisher: str | None
    """None if no publisher of this type is known."""


@dataclass(frozen=True)
class SystemHealth:
    """The health of a whole stage."""

    at: datetime
    publishers: tuple[PublishingService, ...]
    subscriptions: tuple[ServiceSubscription, ...]
    consumers: tuple[ConsumerHealth, ...]
    rates: dict[tuple[str, str], float] = field(default_factory=dict)
    """Events a second, by publisher (or "*") and consumer; by publisher and "" for its total."""
    recent_events: tuple[RecentEvent, ...] = ()
    """The newest events, newest first."""
    attempts: Mapping[str, Sequence[Attempt]] = field(default_factory=dict)
    """Each consumer's recent attempts, by its name."""
    dead_letters: tuple[DeadLetterQueue, ...] = ()
    """Every dead-letter queue, also those that belong to no consumer."""
