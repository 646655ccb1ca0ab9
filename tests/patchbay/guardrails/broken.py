"""Copies of the sample's templates, in which a test breaks one thing."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from contracts.alerts import AlertCleared, AlertRaised
from contracts.charts import HottestBedChanged
from contracts.diary import DayClosed
from contracts.sensors import ReadingTaken
from contracts.watering import BedNotWatered, BedWatered
from patchbay.events.event import Event
from patchbay.guardrails.acceptance import Acceptances, read
from patchbay.guardrails.finding import Finding
from patchbay.guardrails.guard import findings, unaccepted
from patchbay.project.naming import named
from patchbay.topology.template import Resource, Template, listed
from tests.patchbay.greenhouse import NAME, assembly

STAGE = "dev"
SERVICES = ("broker", "watering", "notes", "sensors", "alerts")
EVENTS = (ReadingTaken, AlertRaised, AlertCleared, BedWatered, BedNotWatered)


class Broken:
    """Copies of the templates, and the guardrails' findings in them.

    Resources are named without the prefix of system and stage.
    """

    def __init__(
        self,
        templates: Mapping[str, Template],
        accepted: Acceptances,
        services: Sequence[str] = SERVICES,
        events: Sequence[type[Event]] = EVENTS,
    ) -> None:
        self.bodies: dict[str, Any] = {
            stack: copy.deepcopy(templates[stack].body)
            for stack in (named(STAGE, service) for service in services)
        }
        self.templates = {stack: Template(stack, body) for stack, body in self.bodies.items()}
        self.accepted = accepted
        self.events = events

    def resources(self, service: str) -> dict[str, Any]:
        """Return the resources of a service's stack, by logical id."""
        found: dict[str, Any] = self.bodies[named(STAGE, service)]["Resources"]
        return found

    def the(self, kind: str, name: str) -> Resource:
        (found,) = (
            resource
            for template in self.templates.values()
            for resource in template.all(kind)
            if resource.name.rpartition("/")[2] == named(STAGE, name)
        )
        return found

    def queue(self, name: str) -> dict[str, Any]:
        return _properties(self.the("SQS::Queue", name))

    def rule(self, name: str) -> dict[str, Any]:
        return _properties(self.the("Events::Rule", name))

    def function(self, name: str) -> dict[str, Any]:
        return _properties(self.the("Lambda::Function", name))

    def alarm(self, name: str) -> dict[str, Any]:
        return _properties(self.the("CloudWatch::Alarm", name))

    def mapping(self, function: str) -> dict[str, Any]:
        """Return a function's only event source mapping."""
        fed = self.the("Lambda::Function", function)
        (found,) = (
            mapping
            for mapping in fed.template.all("Lambda::EventSourceMapping")
            if mapping.properties["FunctionName"] == fed.ref
        )
        return _properties(found)

    def policy(self, queue: str) -> list[dict[str, Any]]:
        """Return the statements of a queue's policy."""
        of = self.the("SQS::Queue", queue)
        (found,) = (
            policy
            for policy in of.template.all("SQS::QueuePolicy")
            if policy.properties["Queues"] == [of.ref]
        )
        return _statements(found)

    def allowed(self, queue: str) -> dict[str, Any]:
        """Return the only statement of a queue's policy that allows something."""
        (found,) = (each for each in self.policy(queue) if each["Effect"] == "Allow")
        return found

    def statements(self, function: str) -> list[dict[str, Any]]:
        """Return the statements of a function's role."""
        of = self.the("Lambda::Function", function)
        role = of.template.at(of.properties["Role"])
        (found,) = (
            policy
            for policy in of.template.all("IAM::Policy")
            if policy.properties["Roles"] == [role.ref]
        )
        return _statements(found)

    def statement(self, function: str, action: str) -> dict[str, Any]:
        """Return the statement that allows a function's role an action."""
        (found,) = (each for each in self.statements(function) if action in listed(each["Action"]))
        return found

    def remove(self, kind: str, name: str) -> None:
        gone = self.the(kind, name)
        del self.bodies[gone.stack]["Resources"][gone.id]

    def found(self) -> list[Finding]:
        """Return the findings that are not accepted."""
        return unaccepted(findings(self.templates, self.events), self.accepted)

    def finds(self, id: str, text: str) -> None:
        """Assert that this is the only finding."""
        found = [(finding.id, finding.text) for finding in self.found()]
        assert found == [(id, text)], found


def accepted_by(*services: str) -> Acceptances:
    """Return the acceptances of these services' constructs."""
    found = read(assembly(STAGE))
    prefixes = tuple(f"{NAME}-{STAGE}-{service}/" for service in services)
    reasons = {path: names for path, names in found.reasons.items() if path.startswith(prefixes)}
    return Acceptances(found.paths, reasons)


def every_event() -> list[type[Event]]:
    """Return all events of the sample."""
    return [*EVENTS, DayClosed, HottestBedChanged]


def _properties(resource: Resource) -> dict[str, Any]:
    found: dict[str, Any] = resource.body["Properties"]
    return found


def _statements(policy: Resource) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = policy.properties["PolicyDocument"]["Statement"]
    return found
