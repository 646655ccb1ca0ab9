"""What belongs together in the templates: a consumer with what feeds it, an actor with its role."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from patchbay.project.naming import REPLAY_NAME
from patchbay.topology.event_pattern import EventPattern, InvalidEventPattern
from patchbay.topology.template import Resource, Template, listed, plain

# The variable by which a relay knows the queue that it fills (patchbay/messaging/relay.py).
RELAYS_TO = "RELAYS_TO"


@dataclass(frozen=True)
class ConsumerParts:
    """What makes up one consumer, found by following the template's own references."""

    template: Template
    mapping: Resource

    @cached_property
    def queue(self) -> Resource:
        return self.template.at(self.mapping.properties["EventSourceArn"])

    @cached_property
    def function(self) -> Resource:
        function = self.template.find(self.mapping.properties["FunctionName"])
        assert function
        return function

    @cached_property
    def dead_letters(self) -> Resource:
        return self.template.at(self.queue.properties["RedrivePolicy"]["deadLetterTargetArn"])

    @cached_property
    def intake(self) -> Resource:
        """The queue that its rules fill: its own, or that of the relay which fills it."""
        for mapping in self.template.all("Lambda::EventSourceMapping"):
            relay = self.template.find(mapping.properties.get("FunctionName"))
            if relay and relays_to(relay) == self.queue:
                return self.template.at(mapping.properties["EventSourceArn"])
        return self.queue

    @cached_property
    def rules(self) -> list[Resource]:
        arn = self.intake.arn
        return [
            rule
            for rule in self.template.all("Events::Rule")
            if any(target["Arn"] == arn for target in rule.properties.get("Targets", []))
        ]

    @cached_property
    def undelivered(self) -> list[Resource]:
        """The queues for what its rules could not deliver."""
        return [
            self.template.at(target["DeadLetterConfig"]["Arn"])
            for rule in self.rules
            for target in rule.properties["Targets"]
        ]

    @property
    def name(self) -> str:
        name: str = self.function.properties["Environment"]["Variables"]["CONSUMER"]
        return name

    def passes(self, *, source: str, detail_type: str) -> bool:
        """Whether one of its rules lets such events through, all of them or some."""
        return any(lets_through(rule, source, detail_type) for rule in self.rules)


def actors(template: Template) -> list[Resource]:
    """All that acts under a role of its own: its functions and its state machines."""
    return [*template.all("Lambda::Function"), *template.all("StepFunctions::StateMachine")]


def role_of(actor: Resource) -> Resource | None:
    """The role of a function or a state machine, if it is in its stack."""
    properties = actor.properties
    return actor.template.find(properties.get("Role", properties.get("RoleArn")))


def starters(machine: Resource) -> list[Resource]:
    """The functions of its stack that may start a state machine."""
    template = machine.template
    roles = [
        grant.role
        for grant in template.grants()
        if grant.statement["Effect"] == "Allow"
        and "states:StartExecution" in grant.actions
        and machine in map(template.find, listed(grant.statement.get("Resource", [])))
    ]
    return [each for each in template.all("Lambda::Function") if role_of(each) in roles]


def consumers(templates: Mapping[str, Template]) -> list[ConsumerParts]:
    """Every consumer there is: whatever function a queue of its stack feeds, but for relays."""
    found = []
    for template in templates.values():
        for mapping in template.all("Lambda::EventSourceMapping"):
            source = template.find(mapping.properties.get("EventSourceArn"))
            function = template.find(mapping.properties.get("FunctionName"))
            is_fed = function and source and source.kind == "SQS::Queue"
            if is_fed and function and not relays_to(function):
                found.append(ConsumerParts(template, mapping))
    return found


def relays_to(function: Resource) -> Resource | None:
    """The queue that a function fills from another, if it is a relay."""
    variables = function.properties.get("Environment", {}).get("Variables", {})
    return function.template.find(variables.get(RELAYS_TO))


def lets_through(rule: Resource, source: str, detail_type: str) -> bool:
    """Whether a rule passes events of that source and type: all of them, or those it filters."""
    if "EventPattern" not in rule.properties:
        return False  # it is on a schedule
    address = _address(plain(rule.properties["EventPattern"]))
    event = {"source": source, "detail-type": detail_type}
    try:
        return not address or EventPattern(json.dumps(address)).matches(json.dumps(event))
    except InvalidEventPattern:
        return False  # AWS would not take the rule


def looks_inside(rule: Resource) -> bool:
    """Whether a rule looks at more of a live event than its source and type."""
    pattern = dict(plain(rule.properties.get("EventPattern", {})))
    pattern.pop(REPLAY_NAME, None)
    return bool(pattern != _address(pattern))


def _address(pattern: Mapping[str, Any]) -> dict[str, Any]:
    """What a pattern asks of the source and type: `{}` where it asks nothing."""
    asked = {key: pattern[key] for key in ("source", "detail-type") if key in pattern}
    choices = [choice for choice in pattern.get("$or", []) if isinstance(choice, Mapping)]
    either = [_address(choice) for choice in choices]
    # One choice that asks nothing of them leaves them open, whatever the others ask.
    return asked | ({"$or": either} if either and all(either) else {})
