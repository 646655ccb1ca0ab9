"""Checks of alarms: somebody is notified of the first dead letter and of a consumer's delay."""

from collections.abc import Iterator

from patchbay.guardrails.checks.queues import consumed, dead_letter_queues
from patchbay.guardrails.finding import Finding, System
from patchbay.topology.template import Resource

DEPTH = "ApproximateNumberOfMessagesVisible"
AGE = "ApproximateAgeOfOldestMessage"
RAISED_BY_FIRST = {("GreaterThanOrEqualToThreshold", 1), ("GreaterThanThreshold", 0)}


def alarm(system: System) -> Iterator[Finding]:
    """Find each dead-letter queue without an alarm on its depth, and queue without one on age."""
    for queue in dead_letter_queues(system):
        yield from _alarmed(queue, DEPTH, "nobody would notice a dead letter before it expires")
    for queue in consumed(system):
        yield from _alarmed(queue, AGE, "nobody would notice a consumer that has stopped")


def dead_letter_alarm(system: System) -> Iterator[Finding]:
    """Find each alarm on a dead-letter queue that the first dead letter does not raise."""
    for queue in dead_letter_queues(system):
        alarms = queue.template.alarms_on(queue, DEPTH)
        if alarms and not any(raised_by_first(each) for each in alarms):
            threshold = alarms[0].properties.get("Threshold")
            yield Finding(
                alarms[0],
                f"Alarm {alarms[0].name} is not raised by the first dead letter in {queue.name}: "
                f"its threshold is {threshold:g}. Set it to 1, GreaterThanOrEqualToThreshold.",
            )


def _alarmed(queue: Resource, metric: str, otherwise: str) -> Iterator[Finding]:
    alarms = queue.template.alarms_on(queue, metric)
    if not alarms:
        yield Finding(
            queue, f"Queue {queue.name} has no alarm on its {metric}: {otherwise}. Add one."
        )
    elif not any(notifies(each) for each in alarms):
        yield Finding(
            alarms[0],
            f"Alarm {alarms[0].name} notifies nobody: it has no action, or its actions are "
            f"disabled, and {otherwise}. Have it notify the stage's topic.",
        )


def notifies(alarm: Resource) -> bool:
    """Return whether an alarm has an action, and its actions are enabled."""
    properties = alarm.properties
    return bool(properties.get("AlarmActions")) and properties.get("ActionsEnabled") is not False


def raised_by_first(alarm: Resource) -> bool:
    """Return whether a count of one raises an alarm."""
    properties = alarm.properties
    return (properties.get("ComparisonOperator"), properties.get("Threshold")) in RAISED_BY_FIRST
