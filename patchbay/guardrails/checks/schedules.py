"""Schedules: each runs when it says, its runs know their time, and none is lost unseen."""

from collections.abc import Iterator, Mapping
from typing import Any

from patchbay.guardrails.finding import Finding, System
from patchbay.topology.template import Resource, listed, texts

DUE_AT = "<aws.scheduler.scheduled-time>"
SCHEDULER = "scheduler.amazonaws.com"


def schedule(system: System) -> Iterator[Finding]:
    """A schedule's runs are told apart by their time, and what fails of them is kept."""
    for found in system.all("Scheduler::Schedule"):
        for wrong in _wrong(found, found.properties["Target"]):
            yield Finding(found, f"Schedule {found.name} {wrong}")


def schedule_role(system: System) -> Iterator[Finding]:
    """The role of a schedule is for its group alone, and may do no more than it has to."""
    for found in system.all("Scheduler::Schedule"):
        aim = found.properties["Target"]
        role = found.template.find(aim.get("RoleArn"))
        if role is None:
            yield Finding(
                found,
                f"Schedule {found.name} has a role that is not in its stack: what it may do can't "
                "be checked. Give it one of its own.",
            )
            continue
        if not _is_for_its_group(role):
            yield Finding(
                role,
                f"The role of schedule {found.name} may be assumed for any schedule, of any "
                "account: somebody else's could use it. Have it ask for aws:SourceAccount and "
                "aws:SourceArn, which is that of the schedule's group.",
            )
        needed = [aim.get("Arn"), aim.get("DeadLetterConfig", {}).get("Arn")]
        for grant in found.template.grants():
            if grant.role == role and not all(
                resource in needed for resource in listed(grant.statement.get("Resource", []))
            ):
                yield Finding(
                    grant.policy,
                    f"The role of schedule {found.name} may do more than to invoke its function "
                    "and to leave its dead letters: Scheduler needs no more. Take it away.",
                )


def _wrong(found: Resource, aim: Mapping[str, Any]) -> Iterator[str]:
    properties, find = found.properties, found.template.find
    dead = find(aim.get("DeadLetterConfig", {}).get("Arn"))
    if dead is None:
        yield (
            "keeps nothing of a run that it can't start: that would be lost unseen. Give its "
            "target a dead-letter queue, in this stack."
        )
    elif dead.properties.get("FifoQueue"):
        yield (
            f"leaves its dead letters in {dead.name}, a FIFO queue: Scheduler writes to standard "
            "queues only. Use one."
        )
    function = find(aim.get("Arn"))
    if function and function.kind == "Lambda::Function" and not _keeps_failures(function):
        yield (
            f"runs {function.name}, which keeps nothing of a run that fails: Scheduler is done as "
            "soon as Lambda has taken it. Give the function a destination on failure."
        )
    if not aim.get("RetryPolicy", {}).get("MaximumRetryAttempts"):
        yield (
            "does not say how often to try again: a moment's trouble may cost a run. Set the "
            "target's MaximumRetryAttempts, 185 at most."
        )
    if DUE_AT not in "".join(texts(aim.get("Input", ""))):
        yield (
            f"does not tell its runs when they were due: one that is repeated could not be told "
            f"from the next. Put {DUE_AT} into the target's input."
        )
    if properties.get("FlexibleTimeWindow", {}).get("Mode") != "OFF":
        yield "runs at any time in a window: what counts on its time can't. Switch that off."
    if not properties.get("ScheduleExpressionTimezone"):
        yield "does not state its time zone. State it, even where it is UTC."


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
