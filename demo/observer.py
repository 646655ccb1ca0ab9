"""An observer of the consumers: the depths of their queues, and the outcomes in their logs."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from patchbay.local.cloud import LocalCloud
from patchbay.operations.formatting import percentile
from patchbay.operations.log_lines import LogEvent, LogEvents
from patchbay.topology.consumers import Consumer

PATTERN = '{$.message = "handled" || $.message = "failed"}'
EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass
class Observed:
    """The counts and latencies of one consumer so far."""

    waiting: int = 0
    in_flight: int = 0
    dead_lettered: int = 0
    handled: int = 0
    failed: int = 0
    latencies: list[tuple[float, float]] = field(default_factory=list)
    """For each handled event: when it was published, in seconds since the epoch, and the
    milliseconds until it was handled."""

    def percentile(self, percent: int) -> float | None:
        """Return a percentile of the latencies, in milliseconds."""
        return percentile([latency for _, latency in self.latencies], percent)


class Observer:
    """Checks of all consumers, at the same time."""

    def __init__(self, cloud: LocalCloud, consumers: Iterable[Consumer]) -> None:
        self._sqs = cloud.client("sqs")
        self._logs = cloud.client("logs")
        self.observed = {consumer: Observed() for consumer in consumers}
        self._read_until = dict.fromkeys(self.observed, EPOCH)
        self._read: set[int] = set()

    def check(self) -> None:
        """Update `observed`."""
        with ThreadPoolExecutor(max_workers=len(self.observed) or 1) as pool:
            list(pool.map(self._check, self.observed))

    def idle(self) -> bool:
        """Return whether no message was waiting or in flight at the last check."""
        return not any(seen.waiting or seen.in_flight for seen in self.observed.values())

    def progress(self) -> list[tuple[int, int, int]]:
        """Return the counts that change only when an attempt is over."""
        observed = self.observed.values()
        return [(seen.handled, seen.failed, seen.dead_lettered) for seen in observed]

    def _check(self, consumer: Consumer) -> None:
        seen = self.observed[consumer]
        urls = [url for url in (consumer.intake_url, consumer.queue_url) if url]
        seen.waiting, seen.in_flight = map(sum, zip(*map(self._depth, urls), strict=True))
        seen.dead_lettered = sum(self._depth(consumer.dead_letters_url))
        for event in self._new_events(consumer):
            _count(event, seen)

    def _depth(self, url: str) -> tuple[int, int]:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))
        visible, hidden = (int(answer["Attributes"][name]) for name in names)
        return visible, hidden

    def _new_events(self, consumer: Consumer) -> Iterator[LogEvent]:
        """Yield the outcomes in the consumer's log since the last check."""
        since = self._read_until[consumer]
        for event in LogEvents(self._logs, consumer.log_group, PATTERN, since):
            # The last check may have read some events of its last millisecond.
            if event.key not in self._read:
                self._read.add(event.key)
                self._read_until[consumer] = max(self._read_until[consumer], event.at)
                yield event


def _count(event: LogEvent, seen: Observed) -> None:
    match event.line.get("message"):
        case "handled":
            seen.handled += 1
            latency = float(event.line["age_ms"])
            seen.latencies.append((event.at.timestamp() - latency / 1000, latency))
        case "failed":
            seen.failed += 1
