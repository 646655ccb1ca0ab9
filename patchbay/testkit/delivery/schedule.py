"""EventBridge Scheduler: invokes functions when their schedules are due.

Scheduler invokes a function asynchronously: its part ends when Lambda accepts the invocation. Then
Lambda retries, and uses the function's own failure destination.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from patchbay.testkit.aws.function import Function
from patchbay.testkit.aws.iam import Call, allows, assumes
from patchbay.testkit.aws.queue import Queue
from patchbay.testkit.clock import Clock
from patchbay.testkit.delivery.asynchronous import Asynchronous, options_of
from patchbay.testkit.delivery.cron import Next, expression
from patchbay.testkit.errors import NotDeployable, NotInTheKit
from patchbay.testkit.history import History
from patchbay.testkit.reading.arns import arn
from patchbay.testkit.reading.intrinsics import ACCOUNT
from patchbay.testkit.templates import Resource, Templates

SCHEDULER = "scheduler.amazonaws.com"
_UNKNOWN = ("StartDate", "EndDate", "KmsKeyArn", "ActionAfterCompletion")


@dataclass(frozen=True)
class Schedule:
    """A schedule, as its template defines it, with its function's destinations."""

    name: str
    arn: str
    next: Next
    enabled: bool
    input: str
    function: Function
    denied: str | None
    """Why Scheduler may not invoke the function; None if it may."""
    dead_letters: Queue | None
    failures: list[Queue]
    """The queues that receive failed runs."""


class Schedules:
    """All schedules, on virtual time. `settle` does not wait for them."""

    def __init__(
        self,
        clock: Clock,
        asynchronous: Asynchronous,
        history: History,
        schedules: list[Schedule],
        refused: Mapping[str, tuple[NotInTheKit, Next | None]],
    ) -> None:
        self._clock = clock
        self._asynchronous = asynchronous
        self._refused = refused
        self._history = history
        self.all = schedules
        for schedule in schedules:
            if schedule.enabled:
                self._plan(schedule, clock.time)
        for error, due in refused.values():
            if due:
                moment = due(clock.time).timestamp()
                clock.at(moment, partial(_refuse, error), idle=True)

    def run(self, name: str) -> None:
        """Start a schedule now, as if it were due."""
        for schedule in self.all:
            if schedule.name == name:
                self._run(schedule, _rendered_input(schedule, self._clock.time))
                return
        if name in self._refused:
            raise self._refused[name][0]
        raise LookupError(f"There is no schedule {name}: {[each.name for each in self.all]}.")

    def _run(self, schedule: Schedule, text: str) -> None:
        self._asynchronous.take(schedule.function, text, name=schedule.name)

    def _plan(self, schedule: Schedule, after: datetime) -> None:
        due = schedule.next(after)
        self._clock.at(due.timestamp(), lambda: self._start(schedule, due), idle=True)

    def _start(self, schedule: Schedule, due: datetime) -> None:
        self._plan(schedule, due)
        self._history.note(schedule.name, "is due")
        text = _rendered_input(schedule, due)
        if schedule.denied is None:
            self._run(schedule, text)
        elif schedule.dead_letters is None:
            self._history.dropped(schedule.name, "a run", due.isoformat(), schedule.denied)
        else:
            attributes = {
                "ERROR_CODE": "AccessDeniedException",
                "ERROR_MESSAGE": schedule.denied,
                "SCHEDULE_ARN": schedule.arn,
                "TARGET_ARN": schedule.function.arn,
                "EXECUTION_ID": _execution(schedule, due),
                "RETRY_ATTEMPTS": "0",
            }
            self._send(schedule.dead_letters, text, attributes)

    def _send(self, queue: Queue, body: str, attributes: dict[str, str]) -> None:
        self._history.sent(queue.name, queue.send(body, attributes=attributes), body)


def schedules(
    templates: Templates, queue_of: Callable[[str, str], Queue]
) -> tuple[list[Schedule], dict[str, tuple[NotInTheKit, Next | None]]]:
    """Return the schedules of the templates, and by name, why the kit can't simulate some.

    Raise NotDeployable for a schedule that AWS would refuse.
    """
    found: list[Schedule] = []
    refused: dict[str, tuple[NotInTheKit, Next | None]] = {}
    for resource in templates.all("AWS::Scheduler::Schedule"):
        try:
            found.append(_schedule(templates, resource, queue_of))
        except NotInTheKit as error:
            refused[resource.name] = (error, _due(resource))
    return found, refused


def _refuse(error: NotInTheKit) -> None:
    raise error


def _due(resource: Resource) -> Next | None:
    """Return the due times of a schedule that the kit can't simulate, if it can compute them."""
    properties = resource.properties
    zone = properties.get("ScheduleExpressionTimezone", "UTC")
    if properties.get("State", "ENABLED") != "ENABLED":
        return None
    try:
        return expression(properties["ScheduleExpression"], zone)
    except NotInTheKit:
        return None


def _schedule(
    templates: Templates, resource: Resource, queue_of: Callable[[str, str], Queue]
) -> Schedule:
    properties, target = resource.properties, resource.properties["Target"]
    if unknown := [field for field in _UNKNOWN if field in properties]:
        raise NotInTheKit(f"{resource} has {unknown}, which the kit can't simulate.")
    if properties["FlexibleTimeWindow"]["Mode"] != "OFF":
        raise NotInTheKit(f"{resource} has a flexible time window, which the kit can't simulate.")
    if ":lambda:" not in target["Arn"]:
        raise NotInTheKit(f"{resource} targets {target['Arn']}; the kit runs functions only.")
    group = properties.get("GroupName", "default")
    if group not in {each.name for each in templates.all("AWS::Scheduler::ScheduleGroup")} | {
        "default"
    }:
        raise NotDeployable(f"{resource} is in the group {group}, which does not exist.")
    function = templates.function(target["Arn"])
    dead = target.get("DeadLetterConfig", {}).get("Arn")
    dead_letters = queue_of(dead, str(resource)) if dead else None
    if dead_letters and dead_letters.is_fifo:
        raise NotDeployable(f"{resource} has a FIFO queue as its dead-letter queue.")
    return Schedule(
        name=resource.name,
        arn=arn(f"scheduler:{{where}}:schedule/{group}/{{name}}", resource.name),
        next=expression(
            properties["ScheduleExpression"], properties.get("ScheduleExpressionTimezone", "UTC")
        ),
        enabled=properties.get("State", "ENABLED") == "ENABLED",
        input=target.get("Input", "{}"),
        function=function,
        denied=_problem(templates, resource, group, function.arn, dead),
        dead_letters=dead_letters,
        failures=[
            *([dead_letters] if dead_letters else []),
            *options_of(templates, function, queue_of).failures,
        ],
    )


def _problem(
    templates: Templates, schedule: Resource, group: str, function: str, dead: str | None
) -> str | None:
    """Return AWS's message if the schedule's role does not allow it to run."""
    role, statements = templates.role(schedule.properties["Target"]["RoleArn"])
    source = arn("scheduler:{where}:schedule-group/{name}", group)
    context = {"aws:SourceAccount": [ACCOUNT], "aws:SourceArn": [source]}
    if not assumes(role.properties["AssumeRolePolicyDocument"], SCHEDULER, context):
        raise NotDeployable(f"EventBridge Scheduler may not assume the role of {schedule}.")
    if dead and not allows(statements, Call("sqs:SendMessage", dead, {})):
        raise NotDeployable(f"The role of {schedule} may not send to its dead letters, {dead}.")
    if not allows(statements, Call("lambda:InvokeFunction", function, {})):
        return f"{role.name} is not authorized to perform lambda:InvokeFunction on {function}"
    return None


def _rendered_input(schedule: Schedule, due: datetime) -> str:
    """Return the input with Scheduler's placeholders replaced."""
    words: dict[str, Any] = {
        "scheduled-time": due.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": _execution(schedule, due),
        "attempt-number": 1,
        "schedule-arn": schedule.arn,
    }
    text = schedule.input
    for word, value in words.items():
        text = text.replace(f"<aws.scheduler.{word}>", str(value))
    return text


def _execution(schedule: Schedule, due: datetime) -> str:
    return str(uuid5(NAMESPACE_URL, f"{schedule.arn}/{due.isoformat()}"))
