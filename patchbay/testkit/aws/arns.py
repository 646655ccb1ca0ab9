"""What a resource is called: its physical name, its ARN, and what Ref and GetAtt give for it."""

import hashlib
from collections.abc import Mapping
from typing import Any

from patchbay.testkit.aws.intrinsics import ACCOUNT, PSEUDO, REGION
from patchbay.testkit.errors import NotInTheKit
from patchbay.topology.template import NAME_PROPERTIES

_ARN = {
    "AWS::DynamoDB::Table": "dynamodb:{where}:table/{name}",
    "AWS::Events::Archive": "events:{where}:archive/{name}",
    "AWS::Events::EventBus": "events:{where}:event-bus/{name}",
    "AWS::Events::Rule": "events:{where}:rule/{bus}/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:{where}:key/{name}",
    "AWS::Kinesis::Stream": "kinesis:{where}:stream/{name}",
    "AWS::Lambda::Function": "lambda:{where}:function:{name}",
    "AWS::Lambda::LayerVersion": "lambda:{where}:layer:{name}:1",
    "AWS::Logs::LogGroup": "logs:{where}:log-group:{name}:*",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:{where}:{name}",
    "AWS::SQS::Queue": "sqs:{where}:{name}",
    "AWS::Scheduler::ScheduleGroup": "scheduler:{where}:schedule-group/{name}",
    "AWS::StepFunctions::StateMachine": "states:{where}:stateMachine:{name}",
}
_IS_IN_A_HOST = {"AWS::ApiGatewayV2::Api", "AWS::Lambda::Url"}
# Whose Ref is not the name.
_REF_IS_ARN = {
    "AWS::Lambda::LayerVersion",
    "AWS::SNS::Topic",
    "AWS::StepFunctions::StateMachine",
}
_ATTRIBUTE_IS_NAME = {
    ("AWS::Events::Archive", "ArchiveName"),
    ("AWS::Events::EventBus", "Name"),
    ("AWS::KMS::Key", "KeyId"),
    ("AWS::SNS::Topic", "TopicName"),
    ("AWS::SQS::Queue", "QueueName"),
}
_ATTRIBUTE_IS_ARN = {"Arn", "TopicArn", "FunctionArn"}


def arn(pattern: str, name: str, bus: str = "default") -> str:
    """An ARN in the kit's account and region."""
    where = f"{REGION}:{ACCOUNT}"
    return "arn:aws:" + pattern.format(where=where, account=ACCOUNT, name=name, bus=bus)


def arn_of(kind: str, name: str, bus: str = "default") -> str:
    """The ARN of a resource of that type."""
    return arn(_ARN[kind], name, bus)


def queue_url(name: str) -> str:
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"


def queue_arn_of_url(url: str) -> str:
    return arn_of("AWS::SQS::Queue", url.rpartition("/")[2])


class Names:
    """What a stack's resources are called. Names do not depend on references: CDK sets them."""

    def __init__(self, stack: str, resources: Mapping[str, Mapping[str, Any]]) -> None:
        self._stack = stack
        self._resources = resources

    def name(self, logical_id: str) -> str:
        kind, properties = self._parts(logical_id)
        made_up = f"{self._stack}-{logical_id}"
        if kind in _IS_IN_A_HOST:
            return hashlib.sha256(made_up.encode()).hexdigest()[:10]
        # Without such a property, CloudFormation makes up a name.
        name = _written(properties.get(NAME_PROPERTIES.get(kind.removeprefix("AWS::"), "")))
        return name if isinstance(name, str) else made_up

    def arn(self, logical_id: str) -> str:
        kind, properties = self._parts(logical_id)
        if kind not in _ARN:
            raise NotInTheKit(f"The kit knows no ARN of {self._what(logical_id)}.")
        return arn_of(kind, self.name(logical_id), properties.get("EventBusName", "default"))

    def ref(self, logical_id: str) -> str:
        """What Ref gives."""
        kind, _ = self._parts(logical_id)
        if kind in _REF_IS_ARN:
            return self.arn(logical_id)
        if kind == "AWS::SQS::Queue":
            return queue_url(self.name(logical_id))
        return self.name(logical_id)

    def attribute(self, logical_id: str, attribute: str) -> str:
        """What Fn::GetAtt gives."""
        kind, _ = self._parts(logical_id)
        if attribute in _ATTRIBUTE_IS_ARN and kind in _ARN:
            return self.arn(logical_id)
        if (kind, attribute) in _ATTRIBUTE_IS_NAME:
            return self.name(logical_id)
        match kind, attribute:
            case "AWS::DynamoDB::Table", "StreamArn":
                return f"{self.arn(logical_id)}/stream/2026-01-01T00:00:00.000"
            case "AWS::Lambda::Url", "FunctionUrl":
                return f"https://{self.name(logical_id)}.lambda-url.{REGION}.on.aws/"
            case "AWS::ApiGatewayV2::Api", "ApiEndpoint":
                return f"https://{self.name(logical_id)}.execute-api.{REGION}.amazonaws.com"
        raise NotInTheKit(f"The kit does not know {attribute} of {self._what(logical_id)}.")

    def _parts(self, logical_id: str) -> tuple[str, Mapping[str, Any]]:
        if logical_id not in self._resources:
            raise NotInTheKit(
                f"Stack {self._stack} refers to {logical_id}, which it does not have."
            )
        resource = self._resources[logical_id]
        return resource["Type"], resource.get("Properties", {})

    def _what(self, logical_id: str) -> str:
        return f"{logical_id} ({self._resources[logical_id]['Type']}) in stack {self._stack}"


def _written(name: Any) -> Any:
    """A name that holds the account or the region, as those of buckets do, in full."""
    match name:
        case {"Fn::Join": ["", [*parts]]}:
            return "".join(
                str(PSEUDO[part["Ref"]]) if isinstance(part, dict) else part for part in parts
            )
    return name
