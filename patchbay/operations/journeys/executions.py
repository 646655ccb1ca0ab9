"""Workflow executions that were started for an event."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from patchbay.operations.clients import Clients


@dataclass(frozen=True)
class Execution:
    """An execution of a state machine."""

    status: str
    """Step Functions' status, such as `RUNNING` or `SUCCEEDED`."""
    started_at: datetime
    stopped_at: datetime | None
    reason: str | None
    """The reason of its failure; None if it has not failed."""


def execution(clients: Clients, machine_arn: str, event_id: str) -> Execution | None:
    """Return the execution with an event's id as its name; None if there is none (any more)."""
    states = clients.client("stepfunctions")
    arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{event_id}"
    try:
        found = states.describe_execution(executionArn=arn)
    except states.exceptions.ExecutionDoesNotExist:
        return None
    return Execution(found["status"], found["startDate"], found.get("stopDate"), _reason(found))


def _reason(found: dict[str, Any]) -> str | None:
    return ": ".join(filter(None, [found.get("error"), found.get("cause")])) or None
