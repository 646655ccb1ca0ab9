"""AWS in memory around the functions, and helpers of their tests.

deliver(module, *events)   through the consumer's queue to its handler; returns what failed
published()                what is on the bus
dead_letters()             what was rejected, and why
lines(message)             what was logged
metric(name)               what was measured
clock                      stops the time, and moves it
"""

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest
import time_machine
from moto import mock_aws  # before any client is made: later ones are not caught

# Modules of functions make their clients, and read their tables' names, when they are imported.
os.environ |= {
    "CONSUMER": "nobody",
    "EVENT_BUS_NAME": "patchbay-test",
    "IDEMPOTENCY_TABLE": "idempotency",
    "POWERTOOLS_METRICS_NAMESPACE": "Patchbay",
    "POWERTOOLS_SERVICE_NAME": "service-under-test",
}

import boto3
from moto.events.utils import EventTemplateParser

from patchbay.events.event import namespace
from patchbay.messaging import telemetry
from tests.patchbay.messaging.queues import ConsumerQueue, DeadLetter, sqs
from tests.patchbay.messaging.wire import Message, OnTheBus

REGION = os.environ["AWS_DEFAULT_REGION"]
# Made once, since making one takes as long as a whole test: moto answers whichever test asks.
DYNAMODB, EVENTS = boto3.client("dynamodb"), boto3.client("events")
# Of each table; a project adds its own.
KEYS = {"idempotency": "id"}


class Deliver(Protocol):
    """Delivers events to a consumer, given by its module's name; returns what failed."""

    def __call__(self, module: str, *events: Message) -> list[Message]: ...


class Lines(Protocol):
    """The lines of the log so far, or those that say `message`."""

    def __call__(self, message: str | None = None) -> list[dict[str, Any]]: ...


class Clock(Protocol):
    """A clock that only moves when a test shifts it, by seconds."""

    def shift(self, delta: float) -> None: ...


Published = Callable[[], list[OnTheBus]]
DeadLetters = Callable[[], list[DeadLetter]]
Metric = Callable[[str], list[float]]


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the test an account of its own, with the tables and the bus."""
    telemetry.logger().clear_state()
    monkeypatch.setattr(telemetry.logger().registered_handler, "stream", _Stdout())
    with mock_aws():
        for name, key in KEYS.items():
            _create_table(name, key)
        EVENTS.create_event_bus(Name=os.environ["EVENT_BUS_NAME"])
        yield


@pytest.fixture
def queues() -> dict[str, ConsumerQueue]:
    """Every consumer's queues, by its name, as `deliver` makes them."""
    return {}


@pytest.fixture
def queue(queues: dict[str, ConsumerQueue]) -> ConsumerQueue:
    """The queues of a consumer called `pickers`."""
    return queues.setdefault("pickers", ConsumerQueue("pickers"))


@pytest.fixture
def deliver(queues: dict[str, ConsumerQueue]) -> Deliver:
    """Sends events through a consumer's queue to its handler, as EventBridge and Lambda would.

    `deliver("functions.sensors.status", event)` finds the handler by its module's name, and returns
    the events that it reported as failed. Without events, it delivers what came back.
    """

    def to(module: str, *events: Message) -> list[Message]:
        name = "-".join(module.split(".")[1:]).removesuffix("-handler").replace("_", "-")
        if name not in queues:
            queues[name] = ConsumerQueue(name)
        return queues[name].deliver(importlib.import_module(module).handler, *events)

    return to


@pytest.fixture
def dead_letters(queues: dict[str, ConsumerQueue]) -> DeadLetters:
    """Reads what the consumers rejected."""
    return lambda: [dead_letter for each in queues.values() for dead_letter in each.dead_letters()]


@pytest.fixture
def published(aws: None, monkeypatch: pytest.MonkeyPatch) -> Published:
    """Reads what was put on the bus, in its order, through a rule and a queue of its own."""
    # For the transformers that no rule here has, moto asks for one package more.
    monkeypatch.setattr(EventTemplateParser, "parse", staticmethod(_untransformed))
    bus, seen = os.environ["EVENT_BUS_NAME"], list[OnTheBus]()
    url = sqs().create_queue(QueueName="tap")["QueueUrl"]
    arn = sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    pattern = json.dumps({"source": [{"prefix": f"{namespace()}."}]})
    EVENTS.put_rule(Name="tap", EventBusName=bus, EventPattern=pattern)
    target: Any = {"Id": "tap", "Arn": arn["QueueArn"]}
    EVENTS.put_targets(Rule="tap", EventBusName=bus, Targets=[target])

    def read() -> list[OnTheBus]:
        while got := sqs().receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            seen.extend(OnTheBus.read(message["Body"]) for message in got)
        return list(seen)

    return read


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str], printed: list[dict[str, Any]]) -> Lines:
    """Reads the log: `lines()` is all of it, `lines("handled")` the lines with that message."""

    def read(message: str | None = None) -> list[dict[str, Any]]:
        _collect(capsys, printed)
        logged = [line for line in printed if "level" in line]
        return [line for line in logged if message in (None, line["message"])]

    return read


@pytest.fixture
def metric(capsys: pytest.CaptureFixture[str], printed: list[dict[str, Any]]) -> Metric:
    """Reads the metrics: `metric("Handled")` is each of its values, in their order."""

    def read(name: str) -> list[float]:
        _collect(capsys, printed)
        return [value for line in printed if "_aws" in line for value in line.get(name, [])]

    return read


@pytest.fixture
def printed() -> list[dict[str, Any]]:
    """Every JSON line on standard output so far: logs and metrics share it, as in Lambda."""
    return []


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Stops the time; `clock.shift(seconds)` moves it."""
    with time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=UTC), tick=False) as stopped:
        yield stopped


def _collect(capsys: pytest.CaptureFixture[str], printed: list[dict[str, Any]]) -> None:
    printed.extend(json.loads(line) for line in capsys.readouterr().out.splitlines())


def _untransformed(input_template: None, input_paths_map: Any, event: Any) -> Any:
    return event


def _create_table(name: str, key: str) -> None:
    DYNAMODB.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )


class _Stdout:
    """Standard output as it is when something is written: pytest gives each test another one."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()
