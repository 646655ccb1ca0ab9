"""Alarms: the first dead letter and a consumer that falls behind are told to someone."""

from collections.abc import Iterator

from patchbay.guardrails.checks.queues import consumed, kept_for
from patchbay.guardrails.finding import Finding, System
from patchbay.topology.template import Resource

DEPTH = "ApproximateNumberOfMessagesVisible"
AGE = "ApproximateAgeOfOldestMessage"
RAISED_BY_FIRST = {("GreaterThanOrEqualToThreshold", 1), ("GreaterThanThreshold", 0)}


def alarm(system: System) -> Iterator[Finding]:
    """Every dead-letter queue has an alarm on its depth, every consumed queue one on its age."""
    for queue in kept_for(system):
        yield from _told(queue, DEPTH, "a dead letter would wait there until it expires, unseen")
    for queue in consumed(system):
        yield from _told(queue, AGE, "a consumer that stands still would go unnoticed")


def dead_letter_alarm(system: System) -> Iterator[Finding]:
    """The first dead letter raises the alarm, and not the hundredth."""
    for queue in kept_for(system):
        alarms = queue.template.alarms_on(queue, DEPTH)
        if alarms and not any(raised_by_first(each) for each in alarms):
            threshold = alarms[0].properties.get("Threshold")
            yield Finding(
                alarms[0],
                f"Alarm {alarms[0].name} is not raised by the first dead letter in {queue.name}: "
                f"its threshold is {threshold:g}. Set it to 1, GreaterThanOrEqualToThreshold.",
            )


def _told(queue: Resource, metric: str, otherwise: str) -> Iterator[Finding]:
    alarms = queue.template.alarms_on(queue, metric)
    if not alarms:
        yield Finding(
            queue, f"Queue {queue.name} has no alarm on its {metric}: {otherwise}. Add one."
        )
    elif not any(reaches_someone(each) for each in alarms):
        yield Finding(
            alarms[0],
            f"Alarm {alarms[0].name} tells nobody: it has no action, or its actions are switched "
            f"off, and {otherwise}. Have it go to the stage's topic.",
        )


def reaches_someone(alarm: Resource) -> bool:
    """Whether an alarm has an action, and it is switched on."""
    properties = alarm.properties
    return bool(properties.get("AlarmActions")) and properties.get("ActionsEnabled") is not False


def raised_by_first(alarm: Resource) -> bool:
    """Whether an alarm on a count is raised by one."""
    properties = alarm.properties
    return (properties.get("ComparisonOperator"), properties.get("Threshold")) in RAISED_BY_FIRST
