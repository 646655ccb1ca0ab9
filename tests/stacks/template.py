"""Reads a synthesized template: its resources, and what refers to what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    id: str
    body: Mapping[str, Any]

    @property
    def properties(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.body.get("Properties", {})
        return found

    @property
    def arn(self) -> dict[str, list[str]]:
        """As other resources of its stack refer to it."""
        return {"Fn::GetAtt": [self.id, "Arn"]}

    @property
    def ref(self) -> dict[str, str]:
        return {"Ref": self.id}


@dataclass(frozen=True)
class Template:
    """One stack's template."""

    stack: str
    body: Mapping[str, Any]

    def all(self, kind: str) -> list[Resource]:
        """Its resources of a kind, such as SQS::Queue."""
        return [
            Resource(logical_id, body)
            for logical_id, body in self.body["Resources"].items()
            if body["Type"] == f"AWS::{kind}"
        ]

    def at(self, arn: Any) -> Resource:
        """The resource whose ARN that is, in this stack."""
        logical_id, attribute = arn["Fn::GetAtt"]
        assert attribute in ("Arn", "StreamArn"), arn
        return Resource(logical_id, self.body["Resources"][logical_id])

    def named(self, ref: Any) -> Resource:
        """The resource to which a Ref points."""
        return Resource(ref["Ref"], self.body["Resources"][ref["Ref"]])

    def statements(self, function: Resource) -> list[Mapping[str, Any]]:
        """All that a function's role allows."""
        role = self.at(function.properties["Role"])
        return [
            statement
            for policy in self.all("IAM::Policy")
            if role.ref in policy.properties["Roles"]
            for statement in policy.properties["PolicyDocument"]["Statement"]
        ]


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
        return self.template.named(self.mapping.properties["FunctionName"])

    @cached_property
    def dead_letters(self) -> Resource:
        return self.template.at(self.queue.properties["RedrivePolicy"]["deadLetterTargetArn"])

    @cached_property
    def rules(self) -> list[Resource]:
        return [
            rule
            for rule in self.template.all("Events::Rule")
            if any(target["Arn"] == self.queue.arn for target in rule.properties["Targets"])
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

    def policy_of(self, queue: Resource) -> list[Mapping[str, Any]]:
        return [
            statement
            for policy in self.template.all("SQS::QueuePolicy")
            if queue.ref in policy.properties["Queues"]
            for statement in policy.properties["PolicyDocument"]["Statement"]
        ]

    def alarms_on(self, queue: Resource, metric: str) -> list[Resource]:
        dimension = {"Name": "QueueName", "Value": {"Fn::GetAtt": [queue.id, "QueueName"]}}
        return [
            alarm
            for alarm in self.template.all("CloudWatch::Alarm")
            if alarm.properties["MetricName"] == metric
            and alarm.properties["Dimensions"] == [dimension]
        ]

    def passes(self, *, source: str, detail_type: str) -> bool:
        """Whether one of its rules lets such an event through."""
        event = {"source": source, "detail-type": detail_type}
        return any(_matches(rule.properties["EventPattern"], event) for rule in self.rules)


def consumers(templates: Mapping[str, Template]) -> list[ConsumerParts]:
    """Every consumer there is: whatever function a queue feeds."""
    return [
        ConsumerParts(template, mapping)
        for template in templates.values()
        for mapping in template.all("Lambda::EventSourceMapping")
        if template.at(mapping.properties["EventSourceArn"]).body["Type"] == "AWS::SQS::Queue"
    ]


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, keys as well."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def _matches(pattern: Mapping[str, Any], event: Mapping[str, str]) -> bool:
    """EventBridge's rule for lists of exact values, which is all that is judged here."""
    unknown = set(pattern) - {"source", "detail-type", "detail"}
    assert not unknown, f"a pattern on {unknown}"
    for field in ("source", "detail-type"):
        assert all(isinstance(value, str) for value in pattern[field]), pattern
        if event[field] not in pattern[field]:
            return False
    return True
