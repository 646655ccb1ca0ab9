"""Reads a synthesized template: its resources, and what refers to what. It needs no CDK."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from stacks.event_pattern import EventPattern, InvalidEventPattern
from stacks.naming import REPLAY_NAME

# The property that holds a resource's physical name, for the kinds that we name.
NAME_PROPERTIES: Mapping[str, str] = {
    "SQS::Queue": "QueueName",
    "Lambda::Function": "FunctionName",
    "Events::Rule": "Name",
    "Events::EventBus": "Name",
    "Events::Archive": "ArchiveName",
    "DynamoDB::Table": "TableName",
    "IAM::Role": "RoleName",
    "CloudWatch::Alarm": "AlarmName",
    "Logs::LogGroup": "LogGroupName",
    "SNS::Topic": "TopicName",
    "ApiGatewayV2::Api": "Name",
    "S3::Bucket": "BucketName",
    "Scheduler::Schedule": "Name",
    "Scheduler::ScheduleGroup": "Name",
    "StepFunctions::StateMachine": "StateMachineName",
    "Kinesis::Stream": "Name",
}
# The variable by which a relay knows the queue that it fills (functions/messaging/relay.py).
RELAYS_TO = "RELAYS_TO"


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    template: "Template" = field(repr=False)
    id: str
    body: Mapping[str, Any] = field(compare=False, repr=False)

    @property
    def kind(self) -> str:
        """Such as SQS::Queue."""
        kind: str = self.body["Type"]
        return kind.removeprefix("AWS::")

    @property
    def properties(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.body.get("Properties", {})
        return found

    @property
    def stack(self) -> str:
        return self.template.stack

    @property
    def name(self) -> str:
        """Its physical name; where CloudFormation is to name it, its logical id."""
        name = self.properties.get(NAME_PROPERTIES.get(self.kind, ""))
        return name if isinstance(name, str) else self.id

    @property
    def arn(self) -> dict[str, list[str]]:
        """As other resources of its stack refer to it."""
        return {"Fn::GetAtt": [self.id, "Arn"]}

    @property
    def ref(self) -> dict[str, str]:
        return {"Ref": self.id}


@dataclass(frozen=True)
class Grant:
    """A statement of IAM, and the role that it is for."""

    role: Resource
    policy: Resource
    statement: Mapping[str, Any]

    @property
    def actions(self) -> list[str]:
        return listed(self.statement.get("Action", []))


@dataclass(frozen=True)
class Template:
    """One stack's template."""

    stack: str
    body: Mapping[str, Any] = field(compare=False, repr=False)

    def all(self, kind: str) -> list[Resource]:
        """Its resources of a kind, such as SQS::Queue."""
        return [
            Resource(self, logical_id, body)
            for logical_id, body in self.body.get("Resources", {}).items()
            if body["Type"] == f"AWS::{kind}"
        ]

    def find(self, reference: Any) -> Resource | None:
        """The resource of this stack to which a Ref or GetAtt points, if it is one."""
        match reference:
            case {"Ref": str(logical_id)} | {"Fn::GetAtt": [str(logical_id), *_]}:
                body = self.body["Resources"].get(logical_id)
                return Resource(self, logical_id, body) if body else None
        return None

    def at(self, arn: Any) -> Resource:
        """The resource whose ARN that is, in this stack."""
        logical_id, attribute = arn["Fn::GetAtt"]
        assert attribute in ("Arn", "StreamArn"), arn
        return Resource(self, logical_id, self.body["Resources"][logical_id])

    def named(self, ref: Any) -> Resource:
        """The resource to which a Ref points."""
        return Resource(self, ref["Ref"], self.body["Resources"][ref["Ref"]])

    def grants(self) -> Iterator[Grant]:
        """All that its roles allow, a statement at a time."""
        for policy in [*self.all("IAM::Policy"), *self.all("IAM::ManagedPolicy")]:
            for reference in policy.properties.get("Roles", []):
                if role := self.find(reference):
                    for statement in policy.properties["PolicyDocument"]["Statement"]:
                        yield Grant(role, policy, statement)
        for role in self.all("IAM::Role"):
            for inline in role.properties.get("Policies", []):
                for statement in inline["PolicyDocument"]["Statement"]:
                    yield Grant(role, role, statement)

    def statements(self, function: Resource) -> list[Mapping[str, Any]]:
        """All that a function's role allows."""
        role = self.at(function.properties["Role"])
        return [grant.statement for grant in self.grants() if grant.role == role]

    def policy_of(self, resource: Resource) -> list[Mapping[str, Any]]:
        """What the policy of a queue, a topic or a bucket says."""
        kind, resources = {
            "SQS::Queue": ("SQS::QueuePolicy", "Queues"),
            "SNS::Topic": ("SNS::TopicPolicy", "Topics"),
            "S3::Bucket": ("S3::BucketPolicy", "Bucket"),
        }[resource.kind]
        return [
            statement
            for policy in self.all(kind)
            if resource.ref in listed(policy.properties[resources])
            for statement in policy.properties["PolicyDocument"]["Statement"]
        ]

    def alarms_on(self, queue: Resource, metric: str) -> list[Resource]:
        """The alarms on a queue's metric."""
        dimension = {"Name": "QueueName", "Value": {"Fn::GetAtt": [queue.id, "QueueName"]}}
        return [
            alarm
            for alarm in self.all("CloudWatch::Alarm")
            if alarm.properties.get("MetricName") == metric
            and alarm.properties.get("Dimensions") == [dimension]
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


def read(assembly: Path) -> dict[str, Template]:
    """Every template of a cloud assembly, by the name of its stack."""
    return {
        stack: Template(stack, json.loads(assembly.joinpath(file).read_text()))
        for stack, artifact in artifacts(assembly).items()
        for file in [artifact["properties"]["templateFile"]]
    }


def artifacts(assembly: Path) -> dict[str, Mapping[str, Any]]:
    """What the manifest of a cloud assembly says of each stack, by its name.

    Its folder may hold more: what synths of other stages have left there.
    """
    found = json.loads(assembly.joinpath("manifest.json").read_text())["artifacts"]
    return {
        artifact["properties"].get("stackName", name): artifact
        for name, artifact in sorted(found.items())
        if artifact["type"] == "aws:cloudformation:stack"
    }


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


def plain(value: Any) -> Any:
    """The value, with a word for each that only CloudFormation will know."""
    if isinstance(value, Mapping):
        if len(value) == 1 and ("Ref" in value or next(iter(value)).startswith("Fn::")):
            return "to-be-known"
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def listed(value: Any) -> list[Any]:
    """One or several, as IAM writes them, as a list."""
    return value if isinstance(value, list) else [value]


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
