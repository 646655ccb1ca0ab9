"""The synthesized templates, resolved as CloudFormation would: each resource with its values."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from patchbay.project.naming import named
from patchbay.testkit.aws.arns import Names, arn_of
from patchbay.testkit.aws.function import Function
from patchbay.testkit.aws.iam import Statement, allows_role
from patchbay.testkit.aws.intrinsics import REGION, Intrinsics
from patchbay.testkit.errors import NotDeployable, NotInTheKit
from patchbay.topology.template import listed

# What the kit plays, or has moto hold.
PLAYED = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::DynamoDB::Table",
    "AWS::Events::Archive",
    "AWS::Events::EventBus",
    "AWS::Events::Rule",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Kinesis::Stream",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Url",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::StepFunctions::StateMachine",
}
# What no event meets on its way: it changes nothing that a test could see.
INERT = {
    "AWS::CDK::Metadata",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::KMS::Key",
    "AWS::Lambda::LayerVersion",
    "AWS::Logs::LogGroup",
    "AWS::SNS::TopicPolicy",
}


@dataclass(frozen=True)
class Resource:
    """One resource, as its service would get it."""

    kind: str
    stack: str
    id: str
    name: str
    properties: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind}, {self.id} in stack {self.stack})"


class Templates:
    """All that one stage deploys. It is not changed by what runs on it."""

    def __init__(
        self, stage: str, templates: Mapping[str, Mapping[str, Any]], assets: Path
    ) -> None:
        """Raises NotInTheKit where a template holds what the kit can neither play nor ignore."""
        self.prefix = named(stage, "")
        self.bodies = templates
        self._stage = stage
        self._assets = assets
        self.resources = [each for item in templates.items() for each in _resolved(*item)]

    def with_bodies(self, templates: Mapping[str, Mapping[str, Any]]) -> "Templates":
        """The same code, deployed by other templates."""
        return Templates(self._stage, templates, self._assets)

    def with_code(
        self, function: str, file: str, changes: Mapping[str, str], folder: Path
    ) -> "Templates":
        """The same templates, with texts in one function's file replaced, each of them once.

        `folder` is an empty one, for the assets.
        """
        (changed,) = [each for each in self.functions.values() if each.short_name == function]
        for asset in self._assets.glob("asset.*"):
            if asset != changed.asset:
                (folder / asset.name).symlink_to(asset)
        shutil.copytree(changed.asset, folder / changed.asset.name)
        path = folder / changed.asset.name / file
        text = path.read_text()
        for old, new in changes.items():
            if text.count(old) != 1:
                raise ValueError(f"{file} of {function} has {old!r} {text.count(old)} times.")
            text = text.replace(old, new)
        path.write_text(text)
        return Templates(self._stage, self.bodies, folder)

    def all(self, kind: str) -> list[Resource]:
        """Its resources of a type such as AWS::SQS::Queue."""
        return [each for each in self.resources if each.kind == kind]

    def short(self, name: str) -> str:
        """The name without the system and the stage."""
        return name.removeprefix(self.prefix)

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Every function by its ARN."""
        made = [self._function(resource) for resource in self.all("AWS::Lambda::Function")]
        return {function.arn: function for function in made}

    def function(self, name_or_arn: str) -> Function:
        name = name_or_arn.rpartition(":")[2]
        arn = arn_of("AWS::Lambda::Function", name)
        if arn not in self.functions:
            raise NotDeployable(f"There is no function {name}.")
        return self.functions[arn]

    def policies_of(self, kind: str, list_property: str, reference: str) -> list[Statement]:
        """The statements of all policies of that type that are attached to a resource."""
        return [
            statement
            for policy in self.all(kind)
            if reference in listed(policy.properties[list_property])
            for statement in policy.properties["PolicyDocument"]["Statement"]
        ]

    def _function(self, resource: Resource) -> Function:
        properties = resource.properties
        reserved = properties.get("ReservedConcurrentExecutions")
        return Function(
            name=resource.name,
            short_name=self.short(resource.name),
            stack=resource.stack,
            asset=self._asset(resource),
            handler=properties["Handler"],
            environment=_environment(resource),
            timeout=float(properties.get("Timeout", 3)),
            memory=int(properties.get("MemorySize", 128)),
            reserved_concurrency=None if reserved is None else int(reserved),
            statements=tuple(self.statements(resource, properties["Role"], "lambda.amazonaws.com")),
        )

    def _asset(self, function: Resource) -> Path:
        key = function.properties.get("Code", {}).get("S3Key", "")
        found = list(self._assets.glob(f"asset.{key.removesuffix('.zip')}*")) if key else []
        if len(found) != 1 or not found[0].is_dir():
            raise NotInTheKit(f"The code of {function} is no folder in the assembly: {key!r}.")
        return found[0]

    def role(self, arn: str) -> tuple[Resource, list[Statement]]:
        """A role, and all that its policies say."""
        roles = [role for role in self.all("AWS::IAM::Role") if _arn(role) == arn]
        if not roles:
            raise NotDeployable(f"The role {arn} is in no template.")
        return roles[0], list(self._statements_of(roles[0]))

    def statements(self, resource: Resource, arn: str, service: str) -> list[Statement]:
        """All that the role of that ARN allows a resource; raises NotDeployable."""
        role, statements = self.role(arn)
        if not allows_role(role.properties["AssumeRolePolicyDocument"], service):
            raise NotDeployable(f"{service} may not assume the role of {resource}.")
        return statements

    def _statements_of(self, role: Resource) -> Iterator[Statement]:
        if managed := role.properties.get("ManagedPolicyArns"):
            raise NotInTheKit(f"{role} has managed policies, which the kit can't read: {managed}.")
        for policy in role.properties.get("Policies", []):
            yield from policy["PolicyDocument"]["Statement"]
        yield from self.policies_of("AWS::IAM::Policy", "Roles", role.name)


def _resolved(stack: str, template: Mapping[str, Any]) -> Iterator[Resource]:
    resources = template["Resources"]
    names = Names(stack, resources)
    intrinsics = Intrinsics(
        stack,
        ref=names.ref,
        attribute=names.attribute,
        parameters=template.get("Parameters", {}),
    )
    for logical_id, body in resources.items():
        kind = body["Type"]
        if kind in INERT:
            continue
        if kind not in PLAYED:
            raise NotInTheKit(
                f"Stack {stack} has {logical_id}, of type {kind}, which the kit does not know: "
                "teach patchbay/testkit/templates.py, or test that service on the embedded cloud."
            )
        properties = intrinsics.resolve(body.get("Properties", {}))
        yield Resource(kind, stack, logical_id, names.name(logical_id), properties)


def _environment(function: Resource) -> dict[str, str]:
    variables: Mapping[str, Any] = function.properties.get("Environment", {}).get("Variables", {})
    return {
        **{name: str(value) for name, value in variables.items()},
        # What Lambda itself sets. The keys are no secret: moto takes any.
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.properties.get("MemorySize", 128)),
        "LAMBDA_TASK_ROOT": "/var/task",
        "_HANDLER": function.properties["Handler"],
    }


def _arn(resource: Resource) -> str:
    return arn_of(resource.kind, resource.name)
