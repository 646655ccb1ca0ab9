"""The activity of a consumer, polled from its log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from patchbay.operations.formatting import percentile
from patchbay.operations.log_lines import LogEvents
from patchbay.topology.consumers import Consumer

WINDOW = timedelta(minutes=15)  # for how long an attempt is remembered
RATE_WINDOW = timedelta(seconds=15)  # over which what happens in a second is counted
LATE_LINES = timedelta(seconds=5)  # how late a line may come into the log
MOST = 5000  # attempts that are remembered
PAGES = 5  # of a log that are read at a time
OUTCOMES = ("handled", "failed", "rejected")
PATTERN = "{" + " || ".join(f'$.message = "{outcome}"' for outcome in OUTCOMES) + "}"


@dataclass(frozen=True)
class Attempt:
    """An event that was handled, or was not."""

    at: datetime
    event_id: str
    type: str
    correlation_id: str
    number: int
    """1 for the first one with this event."""
    age: float | None
    """Seconds from published to handled; None where it failed."""
    reason: str | None
    """Why it failed; None where it did not."""

    @property
    def failed(self) -> bool:
        """Whether it did."""
        return self.reason is not None


@dataclass
class Activity:
    """The attempts of one consumer, the newest last."""

    consumer: Consumer
    attempts: list[Attempt] = field(default_factory=list)
    at_least: bool = False
    """Whether there were more of late than are remembered, or have been read yet."""
    _polled_since: datetime | None = None
    _read_until: datetime | None = None
    _read: dict[int, datetime] = field(default_factory=dict)

    def poll(self, logs: Any, now: datetime, pages: int = PAGES) -> None:
        """Take in what the log has got since the last time; what failed before counts as well.

        So many pages of it at most: the rest is read the next time.
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
        late = [attempt for attempt in known if attempt.at > now - WINDOW]
        self.attempts = late[-MOST:]
        self.at_least = found.has_more or len(late) > MOST
        if self._read_until:
            again = self._read_until - LATE_LINES
            self._read = {key: at for key, at in self._read.items() if at >= again}

    def recent(self, now: datetime) -> list[Attempt]:
        """Return the attempts of the last seconds."""
        return [attempt for attempt in self.attempts if attempt.at > now - RATE_WINDOW]

    def per_second(self, now: datetime) -> float:
        """Return the events handled a second."""
        handled = [attempt for attempt in self.recent(now) if not attempt.failed]
        return len(handled) / RATE_WINDOW.total_seconds()

    @property
    def failures(self) -> list[Attempt]:
        """The attempts that failed."""
        return [attempt for attempt in self.attempts if attempt.failed]

    @property
    def p95(self) -> float | None:
        """Seconds from published to handled, that 95 of 100 don't exceed."""
        ages = [attempt.age for attempt in self.attempts if attempt.age is not None]
        return percentile(ages, 95)

    def is_failing(self, now: datetime) -> bool:
        """Return whether most recent attempts failed; without any, whether the last one did.

        Who backs off tries rarely: that nothing has failed for a minute does not make it well.
        """
        newest = self.recent(now) or self.attempts[-1:]
        failed = [attempt for attempt in newest if attempt.failed]
        return 2 * len(failed) > len(newest)

    def idle_for(self, now: datetime) -> float:
        """Return the seconds since it last handled an event, or since its log is polled."""
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


def _number(value: Any, otherwise: float) -> float:
    """Return a number from a log line, where anything may stand."""
    return value if isinstance(value, int | float) else otherwise
