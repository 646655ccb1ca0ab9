"""Executions of the workflow that was started for an event."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from patchbay.operations.clients import Clients


@dataclass(frozen=True)
class Execution:
    """An execution of a state machine."""

    status: str
    """As Step Functions names it, such as `RUNNING` or `SUCCEEDED`."""
    started_at: datetime
    stopped_at: datetime | None
    reason: str | None
    """Why it has failed, if it has."""


def execution(clients: Clients, machine_arn: str, event_id: str) -> Execution | None:
    """Return the execution that is named after an event; None where there is none (any more)."""
    states = clients.client("stepfunctions")
    arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{event_id}"
    try:
        told = states.describe_execution(executionArn=arn)
    except states.exceptions.ExecutionDoesNotExist:
        return None
    return Execution(told["status"], told["startDate"], told.get("stopDate"), _reason(told))


def _reason(told: dict[str, Any]) -> str | None:
    return ": ".join(filter(None, [told.get("error"), told.get("cause")])) or None
