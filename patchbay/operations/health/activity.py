"""The activity of a consumer, polled from its log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from patchbay.operations.formatting import percentile
from patchbay.operations.log_lines import LogEvents
from patchbay.topology.consumers import Consumer

WINDOW = timedelta(minutes=15)  # in which attempts are counted
RATE_WINDOW = timedelta(seconds=15)  # over which the rate of events is measured
LATE_LINES = timedelta(seconds=5)  # how late a line may appear in the log
MAX_ATTEMPTS = 5000
PAGES = 5  # of a log, in one poll
OUTCOMES = ("handled", "failed", "rejected")
PATTERN = "{" + " || ".join(f'$.message = "{outcome}"' for outcome in OUTCOMES) + "}"


@dataclass(frozen=True)
class Attempt:
    """An attempt of a consumer to handle an event."""

    at: datetime
    event_id: str
    type: str
    correlation_id: str
    number: int
    """1 for the first attempt with this event."""
    age: float | None
    """Seconds from published to handled; None if it failed."""
    reason: str | None
    """The reason of its failure; None if it did not fail."""

    @property
    def failed(self) -> bool:
        """True if it failed."""
        return self.reason is not None


@dataclass
class Activity:
    """The recent attempts of one consumer, oldest first."""

    consumer: Consumer
    attempts: list[Attempt] = field(default_factory=list)
    at_least: bool = False
    """True if there are more attempts in the window than `attempts` holds."""
    _polled_since: datetime | None = None
    _read_until: datetime | None = None
    _read: dict[int, datetime] = field(default_factory=dict)

    def poll(self, logs: Any, now: datetime, pages: int = PAGES) -> None:
        """Read the lines since the last poll; the first poll reads the whole window.

        It reads at most `pages` pages: the next poll reads on.
        """
        self._polled_since = self._polled_since or now
        since = self._read_until - LATE_LINES if self._read_until else now - WINDOW
        new = []
        found = LogEvents(logs, self.consumer.log_group, PATTERN, since, pages)
        for event in found:
            if event.key in self._read:
                continue
            self._read[event.key] = event.at
            self._read_until = max(self._read_until or event.at, event.at)
            if event.line.get("message") in OUTCOMES:
                new.append(_attempt(event.at, event.line))
        known = sorted([*self.attempts, *new], key=lambda attempt: attempt.at)
        recent = [attempt for attempt in known if attempt.at > now - WINDOW]
        self.attempts = recent[-MAX_ATTEMPTS:]
        self.at_least = found.has_more or len(recent) > MAX_ATTEMPTS
        if self._read_until:
            reread = self._read_until - LATE_LINES
            self._read = {key: at for key, at in self._read.items() if at >= reread}

    def recent(self, now: datetime) -> list[Attempt]:
        """Return the attempts of the last RATE_WINDOW."""
        return [attempt for attempt in self.attempts if attempt.at > now - RATE_WINDOW]

    def per_second(self, now: datetime) -> float:
        """Return the number of events handled a second."""
        handled = [attempt for attempt in self.recent(now) if not attempt.failed]
        return len(handled) / RATE_WINDOW.total_seconds()

    @property
    def failures(self) -> list[Attempt]:
        """The attempts that failed."""
        return [attempt for attempt in self.attempts if attempt.failed]

    @property
    def p95(self) -> float | None:
        """The 95th percentile of the seconds from published to handled."""
        ages = [attempt.age for attempt in self.attempts if attempt.age is not None]
        return percentile(ages, 95)

    def is_failing(self, now: datetime) -> bool:
        """Return True if most of the recent attempts failed or, without any, the last one.

        With a long backoff, attempts are rare: no failure for a minute does not mean that it works.
        """
        newest = self.recent(now) or self.attempts[-1:]
        failed = [attempt for attempt in newest if attempt.failed]
        return 2 * len(failed) > len(newest)

    def idle_for(self, now: datetime) -> float:
        """Return the seconds since it handled an event or, if it has not, since the first poll."""
        handled = [attempt.at for attempt in self.attempts if not attempt.failed]
        return (now - max(handled, default=self._polled_since or now)).total_seconds()


def _attempt(at: datetime, line: Mapping[str, Any]) -> Attempt:
    handled = line["message"] == "handled"
    return Attempt(
        at=at,
        event_id=str(line.get("event_id", "")),
        type=str(line.get("event_type", "")),
        correlation_id=str(line.get("correlation_id", "")),
        number=int(_number(line.get("attempt"), 1)),
        age=_number(line.get("age_ms"), 0) / 1000 if handled else None,
        reason=None if handled else str(line.get("reason", "no reason was logged")),
    )


def _number(value: Any, default: float) -> float:
    """Return a number from a log line; any other value gives the default."""
    return value if isinstance(value, int | float) else default
