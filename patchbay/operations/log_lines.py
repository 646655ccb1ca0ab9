"""What functions have logged: a line of JSON each, with when that was."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

MAX_PATTERN = 1024  # characters: FilterLogEvents' own limit

Line = dict[str, Any]


def lines(
    logs: Any, log_group: str, pattern: str, since: datetime, *, pages: int | None = None
) -> Iterator[Line]:
    """The lines that match since then, with their time as `at`, from so many pages at most.

    The embedded cloud lets every line pass a pattern in braces: whoever asks looks at them himself.
    """
    found = logs.get_paginator("filter_log_events").paginate(
        logGroupName=log_group,
        startTime=max(0, int(since.timestamp() * 1000)),
        filterPattern=pattern,
    )
    try:
        for page in islice(found, pages):
            for event in page["events"]:
                if line := _parsed(event["message"]):
                    line["at"] = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                    yield line
    except logs.exceptions.ResourceNotFoundException:
        return  # it has never run


def _parsed(message: str) -> Line | None:
    try:
        line = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) else None
