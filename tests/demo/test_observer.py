"""The observer of the consumers: outcomes from their logs, each counted once."""

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest

from demo.observer import Observed, Observer
from patchbay.local.cloud import LocalCloud
from patchbay.topology.consumers import Consumer

PAYMENTS = Consumer("payments", "queue", "dead-letters", "/aws/lambda/payments", None, ())
START = 1_770_000_000_000  # milliseconds since the epoch


class Cloud:
    """A stand-in for SQS and CloudWatch Logs with one log."""

    class exceptions:  # noqa: N801 - as boto3 names it
        ResourceNotFoundException = KeyError

    def __init__(self) -> None:
        self.log: list[dict[str, Any]] = []

    def client(self, service: str) -> "Cloud":
        assert service in ("sqs", "logs")
        return self

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return {"Attributes": dict.fromkeys(names, "1")}

    def get_paginator(self, _: str) -> "Cloud":
        return self

    def paginate(self, *, startTime: int, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        yield {"events": [event for event in self.log if event["timestamp"] >= startTime]}

    def write(self, message: str, *, after: int) -> None:
        event = {"logStreamName": "one", "timestamp": START + after, "message": message}
        self.log.append(event)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def checked(cloud: Cloud, times: int) -> Observed:
    observer = Observer(cast("LocalCloud", cloud), [PAYMENTS])
    for _ in range(times):
        observer.check()
    return observer.observed[PAYMENTS]


def handled(number: int) -> str:
    return json.dumps({"message": "handled", "age_ms": 250.0, "event_id": number})


def test_each_outcome_in_the_log_is_counted_once_however_often_it_is_checked(cloud: Cloud) -> None:
    cloud.write(handled(1), after=0)
    cloud.write(handled(2), after=500)
    cloud.write(json.dumps({"message": "failed"}), after=500)
    found = checked(cloud, times=3)
    assert (found.handled, found.failed) == (2, 1)
    start = START / 1000 - 0.25
    assert found.latencies == [(start, 250.0), (pytest.approx(start + 0.5), 250.0)]


def test_lines_that_are_no_outcome_are_ignored(cloud: Cloud) -> None:
    for text in ("REPORT RequestId: 1", "{no JSON", "[1]", json.dumps({"message": "other"})):
        cloud.write(text, after=0)
    found = checked(cloud, times=1)
    assert (found.handled, found.failed, found.latencies) == (0, 0, [])


def test_the_depth_counts_waiting_messages_and_those_in_flight(cloud: Cloud) -> None:
    found = checked(cloud, times=1)
    assert (found.waiting, found.in_flight, found.dead_lettered) == (1, 1, 2)
