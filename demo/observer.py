"""Watches the consumers at work: what waits for each, and what each says in its log."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from patchbay.local.cloud import LocalCloud
from patchbay.operations.formatting import percentile
from patchbay.topology.consumers import Consumer


@dataclass
class Observed:
    """What is known of one consumer so far."""

    waiting: int = 0
    in_flight: int = 0
    dead_lettered: int = 0
    handled: int = 0
    failed: int = 0
    latencies: list[tuple[float, float]] = field(default_factory=list)
    """When each handled event was published (seconds since the epoch), and the milliseconds from
    then until it was handled."""

    def percentile(self, percent: int) -> float | None:
        """Return a percentile of the milliseconds from published to handled."""
        return percentile([latency for _, latency in self.latencies], percent)


class Observer:
    """Looks at all consumers at once, as often as it is asked to."""

    def __init__(self, cloud: LocalCloud, consumers: Iterable[Consumer]) -> None:
        self._sqs = cloud.client("sqs")
        self._logs = cloud.client("logs")
        self.observed = {consumer: Observed() for consumer in consumers}
        self._read_until = dict.fromkeys(self.observed, 0)
        self._read: set[tuple[str, int, str]] = set()

    def look(self) -> None:
        """Bring `observed` up to date."""
        with ThreadPoolExecutor(max_workers=len(self.observed) or 1) as pool:
            list(pool.map(self._look_at, self.observed))

    def idle(self) -> bool:
        """Return whether, at the last look, no message waited or was in flight."""
        return not any(seen.waiting or seen.in_flight for seen in self.observed.values())

    def progress(self) -> list[tuple[int, int, int]]:
        """Return what grows while consumers work; messages that come and go are no progress."""
        observed = self.observed.values()
        return [(seen.handled, seen.failed, seen.dead_lettered) for seen in observed]

    def _look_at(self, consumer: Consumer) -> None:
        seen = self.observed[consumer]
        urls = [url for url in (consumer.intake_url, consumer.queue_url) if url]
        seen.waiting, seen.in_flight = map(sum, zip(*map(self._depth, urls), strict=True))
        seen.dead_lettered = sum(self._depth(consumer.dead_letters_url))
        for line in self._new_lines(consumer):
            _take_in(line, seen)

    def _depth(self, url: str) -> tuple[int, int]:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))
        visible, hidden = (int(answer["Attributes"][name]) for name in names)
        return visible, hidden

    def _new_lines(self, consumer: Consumer) -> list[dict[str, Any]]:
        """Return the lines of the consumer's structured log since the last look."""
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=consumer.log_group, startTime=self._read_until[consumer]
        )
        lines = []
        for page in pages:
            for event in page["events"]:
                # Of the last look's last millisecond, some may have been there already.
                key = (event["logStreamName"], event["timestamp"], event["message"])
                if key in self._read or not event["message"].startswith("{"):
                    continue
                self._read.add(key)
                self._read_until[consumer] = max(self._read_until[consumer], event["timestamp"])
                lines.append(json.loads(event["message"]) | {"at": event["timestamp"] / 1000})
        return lines


def _take_in(line: dict[str, Any], seen: Observed) -> None:
    match line.get("message"):
        case "handled":
            seen.handled += 1
            latency = float(line["age_ms"])
            seen.latencies.append((line["at"] - latency / 1000, latency))
        case "failed":
            seen.failed += 1
