"""A state machine is started once for an event, however often that is handled."""

import json
from typing import Any

import pytest

from patchbay.events.event import Envelope
from patchbay.messaging import workflow
from patchbay.messaging.consuming import consumer
from patchbay.messaging.workflow import start_workflow
from tests.patchbay.messaging.queues import ConsumerQueue
from tests.patchbay.messaging.recorder import AN_EVENT_ID, a_picking
from tests.patchbay.messaging.samples import BedPicked
from tests.patchbay.messaging.wire import on_the_wire

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:pickers"
ORDER = on_the_wire(a_picking(), id=AN_EVENT_ID, correlation_id="j-1")


@consumer
def handler(picked: BedPicked) -> None:
    start_workflow(picked)


class AlreadyThere(Exception):
    """Step Functions' error for a name that is taken."""


class StepFunctions:
    """Answers as Step Functions would, and keeps what it was asked."""

    class exceptions:  # noqa: N801 - as clients call it
        ExecutionAlreadyExists = AlreadyThere

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.started: list[dict[str, Any]] = []

    def start_execution(self, **parameters: Any) -> None:
        self.started.append(parameters)
        if self.failures:
            raise self.failures.pop(0)


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> StepFunctions:
    states = StepFunctions()
    monkeypatch.setattr(workflow, "_client", lambda: states)
    monkeypatch.setenv("WORKFLOW_ARN", MACHINE)
    return states


def test_an_execution_is_named_after_the_event_and_its_input_is_the_envelope(
    queue: ConsumerQueue, states: StepFunctions
) -> None:
    assert queue.deliver(handler, ORDER) == []
    (started,) = states.started
    assert (started["stateMachineArn"], started["name"]) == (MACHINE, str(AN_EVENT_ID))
    given = json.loads(started["input"])
    assert Envelope.model_validate(given).metadata.id == AN_EVENT_ID
    assert given["metadata"]["correlation_id"] == "j-1"
    assert BedPicked.model_validate(given["data"]) == a_picking()


def test_an_execution_that_exists_is_not_an_error(
    queue: ConsumerQueue, states: StepFunctions
) -> None:
    states.failures = [AlreadyThere()]
    assert queue.deliver(handler, ORDER) == []


def test_a_start_that_fails_is_retried(queue: ConsumerQueue, states: StepFunctions) -> None:
    states.failures = [ConnectionError()]
    assert queue.deliver(handler, ORDER) == [ORDER]


def test_starting_a_workflow_outside_of_a_handler_is_refused(states: StepFunctions) -> None:
    with pytest.raises(RuntimeError, match="named after the event that is being handled"):
        start_workflow(a_picking())
    assert states.started == []
