"""Consumers, each with its queue, function and rules, and their roles."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from patchbay.topology.rules import Rule, lets_through
from patchbay.topology.template import Resource, Template, listed

# The environment variable with a relay's target queue (patchbay/messaging/relay.py).
RELAYS_TO = "RELAYS_TO"


@dataclass(frozen=True)
class Consumer:
    """A deployed consumer, with the addresses of its queues, log group and table."""

    name: str
    queue_url: str
    dead_letters_url: str
    log_group: str
    idempotency_table: str | None
    """None where it is naturally idempotent: handling an event twice does no harm."""
    rules: tuple[Rule, ...]
    workflow_arn: str | None = None
    """The state machine that it starts, if any."""
    intake_url: str | None = None
    """The queue from which a relay sends to its own, if any."""

    def takes(self, event: str) -> bool:
        """Return whether its rules let an event through, given as EventBridge's own JSON."""
        return any(rule.passes(event) for rule in self.rules)

    def idempotency_key(self, event_id: str) -> str:
        """Return the key under which its table remembers that it has handled an event."""
        return f"{self.name}#{sha256(json.dumps(event_id).encode()).hexdigest()}"


@dataclass(frozen=True)
class ConsumerResources:
    """The resources of one consumer, found by following its template's references."""

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
        """Return the queue that its rules send to: its own, or its relay's."""
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
        """Return the dead-letter queues of its rules."""
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
        """Return whether one of its rules lets such events through, all of them or some."""
        return any(lets_through(rule, source, detail_type) for rule in self.rules)


def actors(template: Template) -> list[Resource]:
    """Return the functions and the state machines, each with a role of its own."""
    return [*template.all("Lambda::Function"), *template.all("StepFunctions::StateMachine")]


def role_of(actor: Resource) -> Resource | None:
    """Return the role of a function or a state machine, if it is in its stack."""
    properties = actor.properties
    return actor.template.find(properties.get("Role", properties.get("RoleArn")))


def starters(machine: Resource) -> list[Resource]:
    """Return the functions of its stack that may start a state machine."""
    template = machine.template
    roles = [
        grant.role
        for grant in template.grants()
        if grant.statement["Effect"] == "Allow"
        and "states:StartExecution" in grant.actions
        and machine in map(template.find, listed(grant.statement.get("Resource", [])))
    ]
    return [each for each in template.all("Lambda::Function") if role_of(each) in roles]


def consumers(templates: Mapping[str, Template]) -> list[ConsumerResources]:
    """Return every consumer: each function that reads a queue of its stack, except relays."""
    found = []
    for template in templates.values():
        for mapping in template.all("Lambda::EventSourceMapping"):
            source = template.find(mapping.properties.get("EventSourceArn"))
            function = template.find(mapping.properties.get("FunctionName"))
            is_fed = function and source and source.kind == "SQS::Queue"
            if is_fed and function and not relays_to(function):
                found.append(ConsumerResources(template, mapping))
    return found


def relays_to(function: Resource) -> Resource | None:
    """Return the queue that a function sends to, if it is a relay."""
    variables = function.properties.get("Environment", {}).get("Variables", {})
    return function.template.find(variables.get(RELAYS_TO))
