"""Checks of schedules: each runs at its time, its runs know that time, and none is lost unseen."""

from collections.abc import Iterator, Mapping
from typing import Any

from patchbay.guardrails.finding import Finding, System
from patchbay.topology.template import Resource, listed, texts

DUE_AT = "<aws.scheduler.scheduled-time>"
SCHEDULER = "scheduler.amazonaws.com"


def schedule(system: System) -> Iterator[Finding]:
    """Find each schedule whose runs do not get their time, or could be lost."""
    for found in system.all("Scheduler::Schedule"):
        for problem in _problems(found, found.properties["Target"]):
            yield Finding(found, f"Schedule {found.name} {problem}")


def schedule_role(system: System) -> Iterator[Finding]:
    """Find each schedule's role that others may assume, or that may do more than it needs."""
    for found in system.all("Scheduler::Schedule"):
        target = found.properties["Target"]
        role = found.template.find(target.get("RoleArn"))
        if role is None:
            yield Finding(
                found,
                f"Schedule {found.name} has a role that is not in its stack: its permissions "
                "can't be checked. Give it one of its own.",
            )
            continue
        if not _is_for_its_group(role):
            yield Finding(
                role,
                f"The role of schedule {found.name} may be assumed for any schedule, of any "
                "account: another schedule could use it. Add conditions on aws:SourceAccount and "
                "aws:SourceArn, the ARN of the schedule's group.",
            )
        needed = [target.get("Arn"), target.get("DeadLetterConfig", {}).get("Arn")]
        for grant in found.template.grants():
            if grant.role == role and not all(
                resource in needed for resource in listed(grant.statement.get("Resource", []))
            ):
                yield Finding(
                    grant.policy,
                    f"The role of schedule {found.name} may do more than invoke its function and "
                    "send dead letters: Scheduler needs no more. Remove it.",
                )


def _problems(found: Resource, target: Mapping[str, Any]) -> Iterator[str]:
    properties, find = found.properties, found.template.find
    dead = find(target.get("DeadLetterConfig", {}).get("Arn"))
    if dead is None:
        yield (
            "has no dead-letter queue for a run that it can't start: that run would be lost "
            "unseen. Give its target a dead-letter queue, in this stack."
        )
    elif dead.properties.get("FifoQueue"):
        yield (
            f"sends its dead letters to {dead.name}, a FIFO queue: Scheduler writes to standard "
            "queues only. Use one."
        )
    function = find(target.get("Arn"))
    if function and function.kind == "Lambda::Function" and not _keeps_failures(function):
        yield (
            f"runs {function.name}, which keeps nothing of a run that fails: Scheduler does not "
            "retry what Lambda has accepted. Give the function an on-failure destination."
        )
    if not target.get("RetryPolicy", {}).get("MaximumRetryAttempts"):
        yield (
            "does not set how often to retry: a transient error may lose a run. Set the target's "
            "MaximumRetryAttempts, 185 at most."
        )
    if DUE_AT not in "".join(texts(target.get("Input", ""))):
        yield (
            "does not pass its runs the time when they were due: a repeated run could not be "
            f"distinguished from the next. Put {DUE_AT} into the target's input."
        )
    if properties.get("FlexibleTimeWindow", {}).get("Mode") != "OFF":
        yield (
            "has a flexible time window: it would not run at its time. Set FlexibleTimeWindow to "
            "OFF."
        )
    if not properties.get("ScheduleExpressionTimezone"):
        yield "has no time zone. Set ScheduleExpressionTimezone, also for UTC."


def _keeps_failures(function: Resource) -> bool:
    return any(
        function.template.find(config.properties["FunctionName"]) == function
        and "Destination" in config.properties.get("DestinationConfig", {}).get("OnFailure", {})
        for config in function.template.all("Lambda::EventInvokeConfig")
    )


def _is_for_its_group(role: Resource) -> bool:
    statements = role.properties["AssumeRolePolicyDocument"]["Statement"]
    return all(
        statement.get("Principal") == {"Service": SCHEDULER}
        and {"aws:SourceAccount", "aws:SourceArn"}
        <= set(statement.get("Condition", {}).get("StringEquals", {}))
        for statement in statements
    )
