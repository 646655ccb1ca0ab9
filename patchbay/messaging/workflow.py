"""Workflows: starts one execution of a state machine for each event."""

import os
from functools import cache
from typing import TYPE_CHECKING

from patchbay.events.event import Envelope, Event
from patchbay.messaging.cause import current_cause

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def start_workflow(event: Event) -> None:
    """Start the service's state machine; its input is the event in its envelope.

    The execution is named after the event's id. A state machine accepts a name once in 90 days, so
    a second start has no effect. Raises RuntimeError outside of a consumer's handler.
    """
    handled = current_cause().handled
    if handled is None:
        raise RuntimeError(
            "start_workflow was called outside of a consumer's handler. Call it within one: the "
            "execution is named after the event that is being handled."
        )
    states = _client()
    try:
        states.start_execution(
            stateMachineArn=os.environ["WORKFLOW_ARN"],
            name=str(handled.id),
            input=Envelope(metadata=handled, data=event).model_dump_json(),
        )
    except states.exceptions.ExecutionAlreadyExists:
        return


@cache
def _client() -> "SFNClient":
    # Imported here: a function that starts no workflow does not pay for loading it.
    import boto3

    return boto3.client("stepfunctions")
