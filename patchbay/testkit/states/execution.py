"""State machines, as their templates define them, and their executions."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from patchbay.testkit.aws.iam import Statement
from patchbay.testkit.errors import NotDeployable, NotInTheKit
from patchbay.testkit.reading.arns import arn, arn_of
from patchbay.testkit.reading.unknown import refuse
from patchbay.testkit.templates import Resource, Templates

STATES = "states.amazonaws.com"
FAILED_STATUSES = ("FAILED", "TIMED_OUT", "ABORTED")
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_KINDS = {"Task", "Choice", "Pass", "Wait", "Succeed", "Fail"}
# The fields of all states, without those of Map, Parallel and JSONPath.
_FIELDS = {
    "Arguments", "Assign", "Catch", "Cause", "Choices", "Comment", "Default", "End", "Error",
    "Next", "Output", "QueryLanguage", "Resource", "Retry", "Seconds", "TimeoutSeconds",
    "Timestamp", "Type",
}  # fmt: skip

State = Mapping[str, Any]


@dataclass(frozen=True)
class StateMachine:
    """A state machine, as its template defines it."""

    name: str
    short_name: str  # without system and stage, as in tests
    definition: Mapping[str, Any]
    statements: tuple[Statement, ...]  # of its role's policies
    refused: str | None = None  # why the kit can't run it

    @property
    def arn(self) -> str:
        return arn_of("AWS::StepFunctions::StateMachine", self.name)

    @property
    def timeout(self) -> float:
        """Seconds."""
        return float(self.definition.get("TimeoutSeconds", "inf"))

    def state(self, name: str) -> State:
        found: State = self.definition["States"][name]
        return found


@dataclass
class Execution:
    """One execution of a state machine."""

    machine: StateMachine
    name: str
    input: Any
    started: float  # seconds since the epoch
    status: str = "RUNNING"
    output: Any = None
    error: str | None = None
    cause: str | None = None
    ended: float | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    history: list[tuple[str, str]] = field(default_factory=list)
    """Pairs of `entered`, or the error of a failed attempt, and the state."""

    @property
    def arn(self) -> str:
        return arn("states:{where}:execution:{name}", f"{self.machine.name}:{self.name}")

    @property
    def deadline(self) -> float:
        return self.started + self.machine.timeout

    @property
    def states(self) -> list[str]:
        """The states that it entered, in order."""
        return [state for what, state in self.history if what == "entered"]

    def errors(self, state: str) -> list[str]:
        """Return the errors of a state's failed attempts."""
        return [what for what, where in self.history if where == state and what != "entered"]

    def __str__(self) -> str:
        why = f", {self.error}: {self.cause}" if self.error else ""
        return f"{self.name} {self.status}{why}: {' → '.join(self.states)}"


def state_machines(templates: Templates) -> Iterator[StateMachine]:
    """Yield every state machine of the templates. Raise NotDeployable."""
    for resource in templates.all("AWS::StepFunctions::StateMachine"):
        try:
            yield _state_machine(templates, resource)
        except NotInTheKit as error:
            short_name = templates.short(resource.name)
            yield StateMachine(resource.name, short_name, {"States": {}}, (), str(error))


def _state_machine(templates: Templates, resource: Resource) -> StateMachine:
    properties = resource.properties
    refuse(properties, str(resource))
    if properties.get("StateMachineType", "STANDARD") != "STANDARD":
        raise NotInTheKit(f"{resource} is an express one: the kit runs standard ones only.")
    if "DefinitionString" not in properties:
        raise NotInTheKit(f"{resource} has no DefinitionString: the kit can read no other form.")
    return StateMachine(
        name=resource.name,
        short_name=templates.short(resource.name),
        definition=_definition(resource),
        statements=tuple(templates.statements(resource, properties["RoleArn"], STATES)),
    )


def _definition(resource: Resource) -> Mapping[str, Any]:
    values = resource.properties.get("DefinitionSubstitutions", {})

    def value_of(placeholder: re.Match[str]) -> str:
        if placeholder[1] not in values:
            raise NotDeployable(f"{resource} has no value for ${{{placeholder[1]}}}.")
        return str(values[placeholder[1]])

    text = _PLACEHOLDER.sub(value_of, resource.properties["DefinitionString"])
    definition: Mapping[str, Any] = json.loads(text)
    if definition.get("QueryLanguage") != "JSONata":
        raise NotInTheKit(f"{resource} is in JSONPath: the kit evaluates JSONata only.")
    for name, state in definition["States"].items():
        unknown = sorted(state.keys() - _FIELDS)
        if state["Type"] not in _KINDS or unknown or state.get("QueryLanguage") == "JSONPath":
            raise NotInTheKit(
                f"The state {name} of {resource} is a {state['Type']} with {unknown}, which the "
                "kit can't simulate: extend patchbay/testkit/states/state_machine.py."
            )
    return definition
