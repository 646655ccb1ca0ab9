"""The names of resources: physical names, ARNs, and the values of Ref and GetAtt."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from patchbay.testkit.errors import NotDeployable
from patchbay.testkit.reading.intrinsics import ACCOUNT, REGION
from patchbay.testkit.reading.unknown import Kind, placeholder, reasons
from patchbay.topology.template import NAME_PROPERTIES

_ARN = {
    "AWS::DynamoDB::Table": "dynamodb:{where}:table/{name}",
    "AWS::Events::Archive": "events:{where}:archive/{name}",
    "AWS::Events::EventBus": "events:{where}:event-bus/{name}",
    "AWS::Events::Rule": "events:{where}:rule/{bus}/{name}",
    "AWS::CloudWatch::Alarm": "cloudwatch:{where}:alarm:{name}",
    "AWS::IAM::ManagedPolicy": "iam::{account}:policy/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:{where}:key/{name}",
    "AWS::Kinesis::Stream": "kinesis:{where}:stream/{name}",
    "AWS::Lambda::Function": "lambda:{where}:function:{name}",
    "AWS::Lambda::LayerVersion": "lambda:{where}:layer:{name}:1",
    "AWS::Logs::LogGroup": "logs:{where}:log-group:{name}:*",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:{where}:{name}",
    "AWS::SQS::Queue": "sqs:{where}:{name}",
    "AWS::SSM::Parameter": "ssm:{where}:parameter/{name}",
    "AWS::Scheduler::Schedule": "scheduler:{where}:schedule/{name}",
    "AWS::Scheduler::ScheduleGroup": "scheduler:{where}:schedule-group/{name}",
    "AWS::StepFunctions::StateMachine": "states:{where}:stateMachine:{name}",
}
_IS_IN_A_HOST = {"AWS::ApiGatewayV2::Api", "AWS::Lambda::Url"}
# Types whose Ref is the ARN, not the name.
_REF_IS_ARN = {
    "AWS::IAM::ManagedPolicy",
    "AWS::Lambda::LayerVersion",
    "AWS::SNS::Topic",
    "AWS::StepFunctions::StateMachine",
}
_ATTRIBUTE_IS_NAME = {
    ("AWS::DynamoDB::Table", "TableName"),
    ("AWS::S3::Bucket", "Name"),
    ("AWS::Events::Archive", "ArchiveName"),
    ("AWS::Events::EventBus", "Name"),
    ("AWS::KMS::Key", "KeyId"),
    ("AWS::SNS::Topic", "TopicName"),
    ("AWS::SQS::Queue", "QueueName"),
}
# Types whose Ref is the name, and that have no ARN in the kit.
_REF_IS_NAME = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudFormation::Stack",
    "AWS::IAM::Policy",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Url",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}
MAX_GENERATED = 63  # characters: all services allow as many
_ATTRIBUTE_IS_ARN = {"Arn", "TopicArn", "FunctionArn", "PolicyArn", "LayerVersionArn"}


def arn(pattern: str, name: str, bus: str = "default") -> str:
    """Return an ARN in the kit's account and region."""
    where = f"{REGION}:{ACCOUNT}"
    return "arn:aws:" + pattern.format(where=where, account=ACCOUNT, name=name, bus=bus)


def arn_of(kind: str, name: str, bus: str = "default") -> str:
    """Return the ARN of a resource of that type."""
    if kind == "AWS::Events::Rule" and bus == "default":
        return arn("events:{where}:rule/{name}", name)  # the default bus is left out
    return arn(_ARN[kind], name, bus)


def secret_arn(name: str) -> str:
    """Return the ARN of a secret, which ends in six characters that Secrets Manager adds."""
    suffix = hashlib.sha256(name.encode()).hexdigest()[:6]
    return arn("secretsmanager:{where}:secret:{name}", f"{name}-{suffix}")


def queue_url(name: str) -> str:
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"


def queue_arn_of_url(url: str) -> str:
    return arn_of("AWS::SQS::Queue", url.rpartition("/")[2])


class Names:
    """The names of a stack's resources, and the values of Ref and GetAtt."""

    def __init__(
        self,
        stack: str,
        resources: Mapping[str, Mapping[str, Any]],
        resolve: Callable[[Any], Any],
        nested: Callable[[str, str], Any],
    ) -> None:
        self._stack = stack
        self._resources = resources
        self._resolve = resolve
        self._nested_output = nested
        self._known: dict[str, str] = {}
        self._written: set[str] = set()

    def name(self, logical_id: str) -> str:
        """Return its physical name, generated as by CloudFormation if the template has none."""
        if logical_id not in self._known:
            kind, properties = self._parts(logical_id)
            # A temporary value, for a name that refers to itself.
            self._known[logical_id] = self._generated(logical_id)
            if kind not in _IS_IN_A_HOST:
                written = self._resolve(properties.get(_name_property(kind)))
                if isinstance(written, str) and written and not any(reasons(written)):
                    self._written.add(logical_id)
                    self._known[logical_id] = written
        return self._known[logical_id]

    def is_written(self, logical_id: str) -> bool:
        """Return whether the template sets its name."""
        self.name(logical_id)
        return logical_id in self._written

    def arn(self, logical_id: str) -> str:
        kind, properties = self._parts(logical_id)
        name = self.name(logical_id)
        if kind == "AWS::SecretsManager::Secret":
            return secret_arn(name)
        if kind == "AWS::SSM::Parameter":
            name = name.removeprefix("/")
        if kind == "AWS::Events::Rule":
            bus = str(self._resolve(properties.get("EventBusName")) or "default")
            return arn_of(kind, name, bus.rpartition("/")[2])
        return arn_of(kind, name)

    def ref(self, logical_id: str) -> str:
        """Return the value of Ref."""
        kind, properties = self._parts(logical_id)
        if kind in _REF_IS_ARN:
            return self.arn(logical_id)
        match kind:
            case "AWS::SQS::Queue":
                return queue_url(self.name(logical_id))
            case "AWS::Lambda::Version":
                return f"{self._function_arn(properties)}:1"
            case "AWS::Lambda::Alias":
                return f"{self._function_arn(properties)}:{self._resolve(properties['Name'])}"
            case "AWS::SecretsManager::Secret":
                return self.arn(logical_id)
        if kind in _REF_IS_NAME or kind in _ARN:
            return self.name(logical_id)
        return self._unknown(logical_id, "")

    def attribute(self, logical_id: str, attribute: str) -> str:
        """Return the value of Fn::GetAtt."""
        kind, properties = self._parts(logical_id)
        if attribute in _ATTRIBUTE_IS_ARN and kind in _ARN:
            return self.arn(logical_id)
        if (kind, attribute) in _ATTRIBUTE_IS_NAME:
            return self.name(logical_id)
        match kind, attribute:
            case "AWS::CloudFormation::Stack", _ if attribute.startswith("Outputs."):
                return str(self._nested_output(logical_id, attribute.removeprefix("Outputs.")))
            case "AWS::DynamoDB::Table", "StreamArn":
                return f"{self.arn(logical_id)}/stream/2026-01-01T00:00:00.000"
            case "AWS::Lambda::Url", "FunctionUrl":
                return f"https://{self.name(logical_id)}.lambda-url.{REGION}.on.aws/"
            case "AWS::ApiGatewayV2::Api", "ApiEndpoint":
                return f"https://{self.name(logical_id)}.execute-api.{REGION}.amazonaws.com"
            case "AWS::SQS::Queue", "QueueUrl":
                return queue_url(self.name(logical_id))
            case "AWS::SecretsManager::Secret", "Id":
                return self.arn(logical_id)
            case "AWS::SSM::Parameter", ("Value" | "Type"):
                return str(self._resolve(properties.get(attribute)))
            case (("AWS::Lambda::Version" | "AWS::Lambda::Alias"), ("FunctionArn" | "AliasArn")):
                return self.ref(logical_id)
            case "AWS::Lambda::Version", "Version":
                return "1"
            case "AWS::S3::Bucket", ("DomainName" | "RegionalDomainName"):
                return f"{self.name(logical_id)}.s3.{REGION}.amazonaws.com"
        return self._unknown(logical_id, attribute)

    def _function_arn(self, properties: Mapping[str, Any]) -> str:
        name = str(self._resolve(properties["FunctionName"])).partition(":function:")[2]
        return arn_of("AWS::Lambda::Function", name or self._resolve(properties["FunctionName"]))

    def _generated(self, logical_id: str) -> str:
        kind, properties = self._parts(logical_id)
        text = f"{self._stack}-{logical_id}".replace("/", "-")
        digest = hashlib.sha256(text.encode()).hexdigest()
        if kind in _IS_IN_A_HOST:
            return digest[:10]
        text = text.lower() if kind == "AWS::S3::Bucket" else text
        if len(text) > MAX_GENERATED:
            text = f"{text[: MAX_GENERATED - 9]}-{digest[:8]}"
        is_fifo = properties.get("FifoQueue") or properties.get("FifoTopic")
        return f"{text}.fifo" if is_fifo else text

    def _parts(self, logical_id: str) -> tuple[str, Mapping[str, Any]]:
        if logical_id not in self._resources:
            raise NotDeployable(
                f"Stack {self._stack} refers to {logical_id}, which it does not have."
            )
        resource = self._resources[logical_id]
        return kind_of(resource), resource.get("Properties", {})

    def _unknown(self, logical_id: str, attribute: str) -> str:
        kind = self._resources[logical_id]["Type"]
        of = f"{attribute} of " if attribute else ""
        reason = (
            f"{of}{logical_id} ({kind}) in stack {self._stack}, which the test kit does not "
            "simulate. Replace its user in this test, or test it on the embedded cloud or on AWS."
        )
        text = ".".join(filter(None, [self._stack.replace("/", "-"), logical_id, attribute]))
        unknown = placeholder(text, reason, Kind.RESOURCE)
        if attribute.endswith("Arn"):
            service = kind.split("::")[1].lower() if "::" in kind else "custom"
            return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{unknown}"
        return unknown


def kind_of(resource: Mapping[str, Any]) -> str:
    """Return the type of a resource; a global table counts as a table."""
    kind: str = resource["Type"]
    return "AWS::DynamoDB::Table" if kind == "AWS::DynamoDB::GlobalTable" else kind


def _name_property(kind: str) -> str:
    more = {
        "IAM::ManagedPolicy": "ManagedPolicyName",
        "SSM::Parameter": "Name",
        "SecretsManager::Secret": "Name",
    }
    short = kind.removeprefix("AWS::")
    return NAME_PROPERTIES.get(short) or more.get(short, "")
