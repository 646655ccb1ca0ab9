"""Log lines in JSON, read from CloudWatch Logs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

MAX_PATTERN = 1024  # characters: FilterLogEvents' own limit

Line = dict[str, Any]


@dataclass(frozen=True)
class LogEvent:
    """A log event whose message is a JSON object."""

    at: datetime
    line: Line
    key: int
    """Identifies the event: the embedded cloud's log events have no id of their own."""


class LogEvents:
    """The log events of a group that match a pattern since a time, oldest first.

    In the embedded cloud, a pattern in braces matches every event: the caller must check each line.
    """

    def __init__(
        self, logs: Any, log_group: str, pattern: str, since: datetime, pages: int | None = None
    ) -> None:
        """Prepare to read at most `pages` pages, or all for None."""
        self._logs = logs
        self._request = {
            "logGroupName": log_group,
            "startTime": max(0, int(since.timestamp() * 1000)),
            "filterPattern": pattern,
        }
        self._pages = pages
        self.has_more = False
        """True if there are more pages than were read."""

    def __iter__(self) -> Iterator[LogEvent]:
        try:
            for event in self._events():
                if line := _parsed(event["message"]):
                    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                    key = hash((event.get("logStreamName"), event["timestamp"], event["message"]))
                    yield LogEvent(at, line, key)
        except self._logs.exceptions.ResourceNotFoundException:
            return  # the function has never run

    def _events(self) -> Iterator[Mapping[str, Any]]:
        pages = self._logs.get_paginator("filter_log_events").paginate(**self._request)
        for number, page in enumerate(pages, start=1):
            yield from page["events"]
            if number == self._pages:
                self.has_more = "nextToken" in page
                return


def lines(
    logs: Any, log_group: str, pattern: str, since: datetime, *, pages: int | None = None
) -> Iterator[Line]:
    """Yield the lines of LogEvents, each with its time as `at`."""
    for event in LogEvents(logs, log_group, pattern, since, pages):
        yield event.line | {"at": event.at}


def _parsed(message: str) -> Line | None:
    try:
        line = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) else None
