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
    """A service that publishes, and what."""

    name: str
    events: tuple[str, ...]


@dataclass(frozen=True)
class ServiceSubscription:
    """A rule of the bus: what it lets through, and to whom."""

    publisher: str | None
    """None where it lets through what any of them publishes."""
    consumer: str
    events: tuple[str, ...]
    """None at all where it lets through whatever the source publishes."""
    is_filtered: bool = False
    """Whether it looks at what is in an event as well."""

    @property
    def port(self) -> str:
        """What it is plugged into at the bus."""
        return self.publisher or "*"


@dataclass(frozen=True)
class ConsumerHealth:
    """How a consumer does."""

    name: str
    state: State
    waiting: int
    in_flight: int
    """With the function, or hidden until it is tried again."""
    dead: int
    """Dead letters, wherever on the way to it or with it they died."""
    oldest: float | None = None
    """Seconds since the oldest message that waits was sent; None where nobody tells."""
    handled: int = 0
    """Attempts of the last 15 minutes that ended well."""
    failed: int = 0
    """Those that did not."""
    at_least: bool = False
    """Whether there were more than could be read."""
    per_second: float | None = None
    """Events handled a second; None where nobody counts."""
    p95: float | None = None
    """Seconds from published to handled, that 95 of 100 don't exceed."""
    failures: tuple[Attempt, ...] = ()
    """The newest attempts that failed, the newest last."""
    queue: str = ""
    log_group: str = ""

    @property
    def queued(self) -> int:
        """All that its queue holds."""
        return self.waiting + self.in_flight

    @property
    def last_error(self) -> str | None:
        """The reason of its last failure."""
        return self.failures[-1].reason if self.failures else None


@dataclass(frozen=True)
class RecentEvent:
    """An event that went over the bus."""

    at: datetime
    type: str
    correlation_id: str
    publisher: str | None
    """None where nobody is known to publish such."""


@dataclass(frozen=True)
class SystemHealth:
    """All of it."""

    at: datetime
    publishers: tuple[PublishingService, ...]
    subscriptions: tuple[ServiceSubscription, ...]
    consumers: tuple[ConsumerHealth, ...]
    rates: dict[tuple[str, str], float] = field(default_factory=dict)
    """Events a second, by the jack and the consumer of a cable; by the source and "" at the bus."""
    recent_events: tuple[RecentEvent, ...] = ()
    """The newest events, the newest first."""
    attempts: Mapping[str, Sequence[Attempt]] = field(default_factory=dict)
    """What each consumer has done of late, by its name."""
    dead_letters: tuple[DeadLetterQueue, ...] = ()
    """Every queue for what failed for good, those that belong to no consumer as well."""
