"""State machines: what they do when something fails, what can be seen of it, and who is told."""

from collections.abc import Iterator

from patchbay.guardrails.checks.alarms import raised_by_first, reaches_someone
from patchbay.guardrails.finding import Finding, System
from patchbay.topology.state_language import problems
from patchbay.topology.template import Resource

ENDS_BADLY = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")


def workflow(system: System) -> Iterator[Finding]:
    """Every state leads on to an end, and every Task is tried again before it counts as failed."""
    for machine in system.all("StepFunctions::StateMachine"):
        text = machine.properties.get("DefinitionString")
        if not isinstance(text, str):
            yield Finding(
                machine,
                f"State machine {machine.name} has a definition that can't be read here: nobody "
                "could tell what it does when something fails. Write it out in its own file, with "
                "substitutions for what only CloudFormation knows.",
            )
            continue
        for problem in problems(text, machine.properties.get("DefinitionSubstitutions", {})):
            yield Finding(machine, f"State machine {machine.name}: {problem}")


def workflow_trail(system: System) -> Iterator[Finding]:
    """Of every execution, what happened is logged, to a log group of its stack, and traced."""
    for machine in system.all("StepFunctions::StateMachine"):
        logging = machine.properties.get("LoggingConfiguration", {})
        if logging.get("Level") != "ALL" or not _log_group(machine):
            yield Finding(
                machine,
                f"State machine {machine.name} does not log all that happens to a log group of its "
                "stack: after 90 days, nobody could tell what became of an execution. Set its "
                "LoggingConfiguration, to the level ALL.",
                detail="logs",
            )
        if machine.properties.get("TracingConfiguration", {}).get("Enabled") is not True:
            yield Finding(
                machine,
                f"State machine {machine.name} is not traced: what it calls would be missing in "
                "an event's journey. Set its TracingConfiguration.",
                detail="traces",
            )


def workflow_alarm(system: System) -> Iterator[Finding]:
    """The first execution that ends other than by succeeding is told to someone."""
    for machine in system.all("StepFunctions::StateMachine"):
        for metric in ENDS_BADLY:
            if not any(_tells(alarm) for alarm in _alarms(machine, metric)):
                yield Finding(
                    machine,
                    f"State machine {machine.name} has no alarm on its {metric} that the first one "
                    "raises and that goes to someone: what it was started for would stay undone, "
                    "unseen. Add one.",
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


def _tells(alarm: Resource) -> bool:
    return reaches_someone(alarm) and raised_by_first(alarm)
