"""Checks of state machines: their error handling, their logs and traces, and their alarms."""

from collections.abc import Iterator

from patchbay.guardrails.checks.alarms import notifies, raised_by_first
from patchbay.guardrails.finding import Finding, System
from patchbay.topology.state_language import problems
from patchbay.topology.template import Resource

FAILURE_METRICS = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")


def workflow(system: System) -> Iterator[Finding]:
    """Find each mistake in a state machine's definition."""
    for machine in system.all("StepFunctions::StateMachine"):
        text = machine.properties.get("DefinitionString")
        if not isinstance(text, str):
            yield Finding(
                machine,
                f"State machine {machine.name} has a definition that only CloudFormation can put "
                "together, so it can't be checked. Write it in a file of its own, with "
                "substitutions for what only CloudFormation knows.",
            )
            continue
        for problem in problems(text, machine.properties.get("DefinitionSubstitutions", {})):
            yield Finding(machine, f"State machine {machine.name}: {problem}")


def workflow_trail(system: System) -> Iterator[Finding]:
    """Find each state machine that does not log and trace its executions."""
    for machine in system.all("StepFunctions::StateMachine"):
        logging = machine.properties.get("LoggingConfiguration", {})
        if logging.get("Level") != "ALL" or not _log_group(machine):
            yield Finding(
                machine,
                f"State machine {machine.name} does not log all events to a log group of its "
                "stack: after 90 days, an execution's history would be gone. Set its "
                "LoggingConfiguration, with level ALL.",
                detail="logs",
            )
        if machine.properties.get("TracingConfiguration", {}).get("Enabled") is not True:
            yield Finding(
                machine,
                f"State machine {machine.name} is not traced: its calls would be missing from an "
                "event's journey. Set its TracingConfiguration.",
                detail="traces",
            )


def workflow_alarm(system: System) -> Iterator[Finding]:
    """Find each state machine without alarms on the first execution that does not succeed."""
    for machine in system.all("StepFunctions::StateMachine"):
        for metric in FAILURE_METRICS:
            if not any(_notifies_of_first(alarm) for alarm in _alarms(machine, metric)):
                yield Finding(
                    machine,
                    f"State machine {machine.name} has no alarm on its {metric} with a threshold "
                    "of 1 and an action: its work would stay undone, unnoticed. Add one.",
                    detail=metric,
                )


def _log_group(machine: Resource) -> Resource | None:
    for destination in machine.properties["LoggingConfiguration"].get("Destinations", []):
        arn = destination.get("CloudWatchLogsLogGroup", {}).get("LogGroupArn")
        if group := machine.template.find(arn):
            return group
    return None


def _alarms(machine: Resource, metric: str) -> list[Resource]:
    dimension = {"Name": "StateMachineArn", "Value": machine.ref}
    return [
        alarm
        for alarm in machine.template.all("CloudWatch::Alarm")
        if alarm.properties.get("MetricName") == metric
        and alarm.properties.get("Dimensions") == [dimension]
    ]


def _notifies_of_first(alarm: Resource) -> bool:
    return notifies(alarm) and raised_by_first(alarm)
