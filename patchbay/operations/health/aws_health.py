"""The health of a stage as AWS reports it: alarms, failed workflows, stream readers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from patchbay.operations.clients import Clients
from patchbay.operations.event_source_mappings import all_mappings, function_of, reads_queue
from patchbay.operations.health.queue_ages import behind_streams
from patchbay.project.naming import named

FAILED = ("FAILED", "TIMED_OUT", "ABORTED")
CAN_BE_REDRIVEN = timedelta(days=14)  # Step Functions' own limit
MAX_EXECUTIONS = 1000  # that are counted, for each state machine and status


@dataclass(frozen=True)
class Alarm:
    """An alarm in ALARM."""

    name: str
    """Without system and stage."""
    since: datetime
    description: str


@dataclass(frozen=True)
class Workflow:
    """A state machine."""

    name: str
    """Without system and stage."""
    failed: int
    """Executions that did not succeed, and can still be redriven."""
    at_least: bool = False
    """True if there may be more than were counted."""


@dataclass(frozen=True)
class Reader:
    """A function that reads a stream."""

    name: str
    """Without system and stage."""
    stream: str
    state: str
    """Lambda's state of its event source mapping."""
    behind: float | None
    """Seconds behind the stream's end; None if CloudWatch has no recent metric."""


def alarms(clients: Clients, stage: str) -> list[Alarm]:
    """Return the stage's alarms that are in ALARM, by name."""
    pages = clients.client("cloudwatch").get_paginator("describe_alarms")
    found = [
        Alarm(
            _short(alarm["AlarmName"], stage),
            alarm["StateUpdatedTimestamp"],
            alarm.get("AlarmDescription", ""),
        )
        for page in pages.paginate(AlarmNamePrefix=named(stage, ""), StateValue="ALARM")
        for alarm in [*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])]
        if alarm["StateValue"] == "ALARM"  # moto filters by prefix or by state, not by both
    ]
    return sorted(found, key=lambda alarm: alarm.name)


def workflows(clients: Clients, stage: str, now: datetime) -> list[Workflow]:
    """Return the stage's state machines, by name, with the number of failed executions."""
    machines = clients.client("stepfunctions")
    found = []
    for page in machines.get_paginator("list_state_machines").paginate():
        for machine in page["stateMachines"]:
            if machine["name"].startswith(named(stage, "")):
                counts = [
                    sum(1 for _ in _ended(machines, machine["stateMachineArn"], status, now))
                    for status in FAILED
                ]
                name = _short(machine["name"], stage)
                found.append(Workflow(name, sum(counts), at_least=MAX_EXECUTIONS in counts))
    return sorted(found, key=lambda workflow: workflow.name)


def readers(clients: Clients, stage: str, now: datetime) -> list[Reader]:
    """Return the stage's functions that read a stream, by name."""
    reading = {
        function_of(mapping): mapping
        for mapping in all_mappings(clients.client("lambda"))
        if not reads_queue(mapping)
    }
    ours = sorted(name for name in reading if name.startswith(named(stage, "")))
    behind = behind_streams(clients, ours, now) if ours else {}
    return [
        Reader(
            _short(name, stage),
            _stream(reading[name]["EventSourceArn"], stage),
            reading[name]["State"],
            behind.get(name),
        )
        for name in ours
    ]


def _ended(machines: Any, arn: str, status: str, now: datetime) -> Iterator[Any]:
    """Yield the executions of a status that can still be redriven, newest first."""
    pages = machines.get_paginator("list_executions").paginate(
        stateMachineArn=arn, statusFilter=status, PaginationConfig={"MaxItems": MAX_EXECUTIONS}
    )
    for execution in (each for page in pages for each in page["executions"]):
        if now - execution.get("stopDate", execution["startDate"]) < CAN_BE_REDRIVEN:
            yield execution


def _stream(arn: str, stage: str) -> str:
    """Return a stream's name in words, from the ARN of a Kinesis stream or of a table's stream."""
    kind, _, name = arn.split(":", 5)[5].partition("/")
    if kind == "table":
        return f"changes of table {_short(name.partition('/')[0], stage)}"
    return f"{kind} {_short(name, stage)}"


def _short(name: str, stage: str) -> str:
    return name.removeprefix(named(stage, ""))
