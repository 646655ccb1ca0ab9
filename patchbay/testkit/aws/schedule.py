"""EventBridge Scheduler: runs functions when they are due, and Lambda tries again what fails.

Scheduler invokes a function asynchronously: for it, a run is done when Lambda has taken it. From
then on, it is Lambda's to retry, and to leave in the function's own destination.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from patchbay.testkit.aws.arns import arn
from patchbay.testkit.aws.cron import Next, expression
from patchbay.testkit.aws.function import Answer, Function, Lambda
from patchbay.testkit.aws.iam import Call, allows, assumes
from patchbay.testkit.aws.intrinsics import ACCOUNT
from patchbay.testkit.aws.queue import Queue
from patchbay.testkit.clock import Clock
from patchbay.testkit.errors import NotDeployable, NotInTheKit
from patchbay.testkit.history import History
from patchbay.testkit.templates import Resource, Templates

SCHEDULER = "scheduler.amazonaws.com"
RETRY_AFTER = (60.0, 120.0)  # seconds: Lambda's own, for what it runs asynchronously
THROTTLED_RETRY = 1.0  # seconds, doubling up to five minutes: Lambda's own
LONGEST_RETRY = 300.0
_UNKNOWN = ("StartDate", "EndDate", "KmsKeyArn", "ActionAfterCompletion")


@dataclass(frozen=True)
class Schedule:
    """What the templates say of a schedule, and of how its function is run."""

    name: str
    arn: str
    next: Next
    enabled: bool
    input: str
    function: Function
    allowed: str | None
    """Why Scheduler may not invoke the function; none where it may."""
    dead_letters: Queue | None
    attempts: int  # that Lambda makes
    max_age: float  # seconds until Lambda gives up a run
    on_failure: Queue | None

    @property
    def failures(self) -> list[Queue]:
        """Where runs are left that failed."""
        return [queue for queue in (self.dead_letters, self.on_failure) if queue]


class Schedules:
    """All schedules, on virtual time: they are no reason for a cloud not to settle."""

    def __init__(
        self, clock: Clock, functions: Lambda, history: History, schedules: list[Schedule]
    ) -> None:
        self._clock = clock
        self._functions = functions
        self._history = history
        self.all = schedules
        for schedule in schedules:
            if schedule.enabled:
                self._plan(schedule, clock.time)

    def run(self, name: str) -> None:
        """Start a schedule now, as if it were due."""
        for schedule in self.all:
            if schedule.name == name:
                self._run(
                    schedule, _filled_in(schedule, self._clock.time), 1, self._clock.now,
                    THROTTLED_RETRY,
                )  # fmt: skip
                return
        raise LookupError(f"There is no schedule {name}: {[each.name for each in self.all]}.")

    def take(self, function: str, text: str) -> None:
        """Have Lambda run a schedule's function as if Scheduler had asked for it."""
        for schedule in self.all:
            if schedule.function.name == function:
                self._clock.at(
                    self._clock.now,
                    partial(self._run, schedule, text, 1, self._clock.now, THROTTLED_RETRY),
                )
                return
        raise NotInTheKit(f"{function} is no schedule's: the kit runs no other on the side.")

    def _plan(self, schedule: Schedule, after: datetime) -> None:
        due = schedule.next(after)
        self._clock.at(due.timestamp(), lambda: self._start(schedule, due), idle=True)

    def _start(self, schedule: Schedule, due: datetime) -> None:
        self._plan(schedule, due)
        self._history.note(schedule.name, "is due")
        text = _filled_in(schedule, due)
        if schedule.allowed is None:
            self._run(schedule, text, 1, self._clock.now, THROTTLED_RETRY)
        elif schedule.dead_letters is None:
            self._history.dropped(schedule.name, "a run", due.isoformat(), schedule.allowed)
        else:
            attributes = {
                "ERROR_CODE": "AccessDeniedException",
                "ERROR_MESSAGE": schedule.allowed,
                "SCHEDULE_ARN": schedule.arn,
                "TARGET_ARN": schedule.function.arn,
                "EXECUTION_ID": _execution(schedule, due),
                "RETRY_ATTEMPTS": "0",
            }
            self._leave(schedule.dead_letters, text, attributes)

    def _run(self, schedule: Schedule, text: str, attempt: int, since: float, wait: float) -> None:
        def again(after: float, number: int, next_wait: float) -> None:
            self._clock.at(
                self._clock.now + after,
                lambda: self._run(schedule, text, number, since, next_wait),
            )

        if self._functions.throttles(schedule.function):
            if self._clock.now + wait <= since + schedule.max_age:
                again(wait, attempt, min(2 * wait, LONGEST_RETRY))
            else:
                self._give_up(schedule, text, attempt, "EventAgeExceeded", Answer(since))
            return
        answer = self._functions.invoke(schedule.function, json.loads(text))
        if answer.error is None:
            self._history.note(schedule.name, "ran")
            return
        self._history.note(schedule.name, "failed", answer.error)
        late = answer.ended - self._clock.now
        if attempt < schedule.attempts:
            again(late + RETRY_AFTER[attempt - 1], attempt + 1, THROTTLED_RETRY)
        else:
            self._give_up(schedule, text, attempt, "RetriesExhausted", answer)

    def _give_up(
        self, schedule: Schedule, text: str, attempt: int, condition: str, answer: Answer
    ) -> None:
        if schedule.on_failure is None:
            self._history.dropped(schedule.name, "a run", text, answer.error or condition)
            return
        record = {
            "version": "1.0",
            "requestContext": {
                "functionArn": f"{schedule.function.arn}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": attempt,
            },
            "requestPayload": json.loads(text),
            "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
            "responsePayload": {"errorMessage": answer.error},
        }
        self._leave(schedule.on_failure, json.dumps(record), {})

    def _leave(self, queue: Queue, body: str, attributes: dict[str, str]) -> None:
        self._history.sent(queue.name, queue.send(body, attributes=attributes), body)


def schedules(templates: Templates, queue_of: Callable[[str, str], Queue]) -> list[Schedule]:
    """The schedules of a templates; raises NotDeployable for what AWS would refuse."""
    found = templates.all("AWS::Scheduler::Schedule")
    return [_schedule(templates, each, queue_of) for each in found]


def _schedule(
    templates: Templates, resource: Resource, queue_of: Callable[[str, str], Queue]
) -> Schedule:
    properties, target = resource.properties, resource.properties["Target"]
    if unknown := [field for field in _UNKNOWN if field in properties]:
        raise NotInTheKit(f"{resource} has {unknown}, which the kit can't play.")
    if properties["FlexibleTimeWindow"]["Mode"] != "OFF":
        raise NotInTheKit(f"{resource} has a flexible time window, which the kit can't play.")
    if ":lambda:" not in target["Arn"]:
        raise NotInTheKit(f"{resource} targets {target['Arn']}; the kit runs functions alone.")
    group = properties.get("GroupName", "default")
    if group not in {each.name for each in templates.all("AWS::Scheduler::ScheduleGroup")} | {
        "default"
    }:
        raise NotDeployable(f"{resource} is in the group {group}, which does not exist.")
    function = templates.function(target["Arn"])
    dead = target.get("DeadLetterConfig", {}).get("Arn")
    config = next(
        (
            each.properties
            for each in templates.all("AWS::Lambda::EventInvokeConfig")
            if each.properties["FunctionName"] == function.name
        ),
        {},
    )
    failed = config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if failed and not allows(function.statements, Call("sqs:SendMessage", failed, {})):
        raise NotDeployable(f"The role of {function.name} may not send to {failed}.")
    dead_letters = queue_of(dead, str(resource)) if dead else None
    if dead_letters and dead_letters.is_fifo:
        raise NotDeployable(f"{resource} leaves its dead letters in a FIFO queue.")
    return Schedule(
        name=resource.name,
        arn=arn(f"scheduler:{{where}}:schedule/{group}/{{name}}", resource.name),
        next=expression(
            properties["ScheduleExpression"], properties.get("ScheduleExpressionTimezone", "UTC")
        ),
        enabled=properties.get("State", "ENABLED") == "ENABLED",
        input=target.get("Input", "{}"),
        function=function,
        allowed=_problem(templates, resource, group, function.arn, dead),
        dead_letters=dead_letters,
        attempts=1 + int(config.get("MaximumRetryAttempts", 2)),
        max_age=float(config.get("MaximumEventAgeInSeconds", 6 * 60 * 60)),
        on_failure=queue_of(failed, str(resource)) if failed else None,
    )


def _problem(
    templates: Templates, schedule: Resource, group: str, function: str, dead: str | None
) -> str | None:
    """What keeps Scheduler from running the schedule by its role, as AWS would say it."""
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


def _filled_in(schedule: Schedule, due: datetime) -> str:
    """The input with what Scheduler puts in the place of its own words."""
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
