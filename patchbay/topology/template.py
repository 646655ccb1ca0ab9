"""Synthesized templates, their resources and references, read without the CDK."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# The property with the physical name, for each kind of resource that has one.
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


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    template: "Template" = field(repr=False)
    id: str
    body: Mapping[str, Any] = field(compare=False, repr=False)

    @property
    def kind(self) -> str:
        """The resource type without `AWS::`, such as SQS::Queue."""
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
        """Its physical name, or its logical id if CloudFormation generates the name."""
        name = self.properties.get(NAME_PROPERTIES.get(self.kind, ""))
        return name if isinstance(name, str) else self.id

    @property
    def arn(self) -> dict[str, list[str]]:
        """The reference to its ARN in its stack."""
        return {"Fn::GetAtt": [self.id, "Arn"]}

    @property
    def ref(self) -> dict[str, str]:
        return {"Ref": self.id}


@dataclass(frozen=True)
class Grant:
    """An IAM statement, with its role and policy."""

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
        """Return its resources of a kind, such as SQS::Queue."""
        return [
            Resource(self, logical_id, body)
            for logical_id, body in self.body.get("Resources", {}).items()
            if body["Type"] == f"AWS::{kind}"
        ]

    def find(self, reference: Any) -> Resource | None:
        """Return the resource of this stack to which a Ref or GetAtt points, if it is one."""
        match reference:
            case {"Ref": str(logical_id)} | {"Fn::GetAtt": [str(logical_id), *_]}:
                body = self.body["Resources"].get(logical_id)
                return Resource(self, logical_id, body) if body else None
        return None

    def at(self, arn: Any) -> Resource:
        """Return the resource of this stack with that ARN."""
        logical_id, attribute = arn["Fn::GetAtt"]
        assert attribute in ("Arn", "StreamArn"), arn
        return Resource(self, logical_id, self.body["Resources"][logical_id])

    def named(self, ref: Any) -> Resource:
        """Return the resource to which a Ref points."""
        return Resource(self, ref["Ref"], self.body["Resources"][ref["Ref"]])

    def grants(self) -> Iterator[Grant]:
        """Yield all statements of its roles' policies."""
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
        """Return all statements of a function's role."""
        role = self.at(function.properties["Role"])
        return [grant.statement for grant in self.grants() if grant.role == role]

    def policy_of(self, resource: Resource) -> list[Mapping[str, Any]]:
        """Return the statements of a queue's, topic's or bucket's policy."""
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
        """Return the alarms on a queue's metric."""
        dimension = {"Name": "QueueName", "Value": {"Fn::GetAtt": [queue.id, "QueueName"]}}
        return [
            alarm
            for alarm in self.all("CloudWatch::Alarm")
            if alarm.properties.get("MetricName") == metric
            and alarm.properties.get("Dimensions") == [dimension]
        ]


def read(assembly: Path) -> dict[str, Template]:
    """Read every template of a cloud assembly, by the name of its stack."""
    return {
        stack: Template(stack, json.loads(assembly.joinpath(file).read_text()))
        for stack, artifact in artifacts(assembly).items()
        for file in [artifact["properties"]["templateFile"]]
    }


def artifacts(assembly: Path) -> dict[str, Mapping[str, Any]]:
    """Return each stack's artifact in the manifest of a cloud assembly, by its name.

    Templates of other stages, left in its folder by earlier synths, are not in the manifest.
    """
    found = json.loads(assembly.joinpath("manifest.json").read_text())["artifacts"]
    return {
        artifact["properties"].get("stackName", name): artifact
        for name, artifact in sorted(found.items())
        if artifact["type"] == "aws:cloudformation:stack"
    }


def plain(value: Any) -> Any:
    """Replace each value that only CloudFormation knows by a placeholder."""
    if isinstance(value, Mapping):
        if len(value) == 1 and ("Ref" in value or next(iter(value)).startswith("Fn::")):
            return "to-be-known"
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def listed(value: Any) -> list[Any]:
    """Return a list of values; IAM writes a single one without a list."""
    return value if isinstance(value, list) else [value]


def texts(value: Any) -> Iterator[str]:
    """Yield every string in a value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
