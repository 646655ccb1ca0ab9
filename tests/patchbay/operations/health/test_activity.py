"""The recent activity of a consumer, from its log."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from patchbay.operations.health.activity import WINDOW, Activity
from patchbay.topology.consumers import Consumer

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)
CONSUMER = Consumer("alerts", "queue", "dead", "/aws/lambda/alerts", None, ())


class Log:
    """A client of CloudWatch Logs with one log group."""

    class exceptions:  # noqa: N801 - boto3's name
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.exists = True

    def write(self, message: str, after: float, **fields: Any) -> None:
        at = NOW + timedelta(seconds=after)
        self.raw(json.dumps({"message": message, **fields}), at)

    def raw(self, text: str, at: datetime = NOW) -> None:
        stamp = int(at.timestamp() * 1000)
        self.events.append({"logStreamName": "one", "timestamp": stamp, "message": text})

    def get_paginator(self, operation: str) -> "Log":
        assert operation == "filter_log_events"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        if not self.exists:
            raise self.exceptions.ResourceNotFoundException
        since = request["startTime"]
        yield {"events": [each for each in self.events if each["timestamp"] >= since]}


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def activity() -> Activity:
    return Activity(CONSUMER)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_line_is_counted_once(log: Log, activity: Activity) -> None:
    for second in range(10):
        log.write("handled", second, event_id=str(second), age_ms=100 * second)
        activity.poll(log, later(second + 0.1))
    assert len(activity.attempts) == 10
    assert activity.per_second(later(9)) == pytest.approx(10 / 15)


def test_a_line_that_appears_late_is_counted_too(log: Log, activity: Activity) -> None:
    log.write("handled", 3, event_id="second", age_ms=1)
    activity.poll(log, later(3))
    log.write("handled", 1, event_id="first", age_ms=1)
    activity.poll(log, later(4))
    assert [attempt.event_id for attempt in activity.attempts] == ["first", "second"]


def test_p95_is_the_95th_percentile_of_the_ages(log: Log, activity: Activity) -> None:
    for number in range(101):
        log.write("handled", 0, event_id=str(number), age_ms=10 * number)
    activity.poll(log, NOW)
    assert activity.p95 == pytest.approx(0.95)


def test_it_is_failing_as_long_as_most_recent_attempts_fail(log: Log, activity: Activity) -> None:
    log.write("handled", 0, event_id="a", age_ms=1)
    for second in (1, 2):
        log.write("failed", second, event_id="b", attempt=second, reason="it is down")
    activity.poll(log, later(2))
    assert activity.is_failing(later(2))
    assert activity.failures[-1].reason == "it is down"
    for second in (3, 4):
        log.write("handled", second, event_id=str(second), age_ms=1)
    activity.poll(log, later(4))
    assert not activity.is_failing(later(4))


def test_with_a_long_backoff_it_is_still_failing(log: Log, activity: Activity) -> None:
    log.write("failed", 0, event_id="b", attempt=9, reason="it is down")
    activity.poll(log, later(300))
    assert activity.is_failing(later(300))


def test_with_one_poison_event_among_many_good_ones_it_is_not_failing(
    log: Log, activity: Activity
) -> None:
    log.write("rejected", 1, event_id="bad", reason="breaks its contract")
    for second in (0, 1, 2):
        log.write("handled", second, event_id=str(second), age_ms=1)
    activity.poll(log, later(2))
    assert not activity.is_failing(later(2))
    assert [attempt.reason for attempt in activity.failures] == ["breaks its contract"]


def test_attempts_outside_the_window_are_dropped(log: Log, activity: Activity) -> None:
    log.write("failed", 0, event_id="b", reason="it was down")
    activity.poll(log, NOW)
    activity.poll(log, NOW + WINDOW + timedelta(seconds=1))
    assert activity.attempts == []
    assert not activity.is_failing(NOW + WINDOW)


def test_a_consumer_that_has_never_run_has_no_activity(log: Log, activity: Activity) -> None:
    log.exists = False
    activity.poll(log, NOW)
    assert (activity.attempts, activity.p95, activity.is_failing(NOW)) == ([], None, False)
    assert activity.idle_for(later(7)) == 7


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[1]",
        '"handled"',
        '{"message": ["handled"]}',
        '{"message": "failed", "attempt": "many", "reason": {"a": 1}}',
        '{"message": "handled", "age_ms": "old", "event_id": 7}',
    ],
)
def test_a_line_of_any_other_format_is_harmless(log: Log, activity: Activity, line: str) -> None:
    log.raw(line)
    activity.poll(log, NOW)
    assert all(isinstance(attempt.event_id, str) for attempt in activity.attempts)
