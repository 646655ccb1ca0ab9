"""The IAM action and resource of each boto3 call."""

from collections.abc import Iterator, Mapping
from email.utils import parseaddr
from typing import Any

from patchbay.testkit.aws.iam import Call
from patchbay.testkit.errors import NotInTheKit
from patchbay.testkit.reading.arns import arn, arn_of, queue_arn_of_url, secret_arn

Parameters = Mapping[str, Any]

_PREFIX = {
    "sesv2": "ses",
    "stepfunctions": "states",
}  # services whose name is not the prefix of their actions


def calls(service: str, operation: str, parameters: Parameters) -> list[Call]:
    """Return the permissions that a call needs. Raise NotInTheKit for an unknown call."""
    action = f"{_PREFIX.get(service, service)}:{operation}"
    match service:
        case "events" if operation == "PutEvents":
            return [_put_event(action, entry) for entry in parameters["Entries"]]
        case "sqs" if "QueueUrl" in parameters:
            # IAM has no separate actions for batches.
            single = action.removesuffix("Batch")
            return [Call(single, queue_arn_of_url(parameters["QueueUrl"]), {})]
        case "s3" if operation in ("GetObject", "PutObject"):
            return [Call(action, f"arn:aws:s3:::{parameters['Bucket']}/{parameters['Key']}", {})]
        case "dynamodb":
            return list(_on_tables(action, parameters))
        case "sesv2" if operation == "SendEmail":
            _, address = parseaddr(parameters["FromEmailAddress"])
            identity = arn("ses:{where}:identity/{name}", address)
            return [Call(action, identity, {})]
        case "stepfunctions" if "stateMachineArn" in parameters:
            return [Call(action, parameters["stateMachineArn"], {})]
        case "kinesis" if "StreamName" in parameters:
            return [Call(action, arn_of("AWS::Kinesis::Stream", parameters["StreamName"]), {})]
        case "secretsmanager" if "SecretId" in parameters:
            return [Call(action, _secret(parameters["SecretId"]), {})]
        case "secretsmanager" if "SecretIdList" in parameters:
            ids = parameters["SecretIdList"]
            listing = Call("secretsmanager:BatchGetSecretValue", "*", {})
            return [listing, *(Call(f"{service}:GetSecretValue", _secret(i), {}) for i in ids)]
        case "ssm" if "Name" in parameters or "Names" in parameters:
            names = parameters.get("Names") or [parameters["Name"]]
            return [Call(action, _parameter(name), {}) for name in names]
        case "ssm" if "Path" in parameters:
            return [Call(action, _parameter(parameters["Path"].rstrip("/")), {})]
        case "lambda" if operation == "Invoke":
            name = parameters["FunctionName"].partition(":function:")[2]
            name = (name or parameters["FunctionName"]).partition(":")[0]
            invoked = arn_of("AWS::Lambda::Function", name)
            return [Call("lambda:InvokeFunction", invoked, {})]
        case "sqs" if operation == "GetQueueUrl":
            return [Call(action, arn_of("AWS::SQS::Queue", parameters["QueueName"]), {})]
        case "s3" if operation in _S3_OBJECTS:
            resource = f"arn:aws:s3:::{parameters['Bucket']}/{parameters['Key']}"
            return [Call(f"s3:{_S3_OBJECTS[operation]}", resource, {})]
        case "s3" if operation in _S3_LISTS:
            return [Call("s3:ListBucket", f"arn:aws:s3:::{parameters['Bucket']}", {})]
        case "sts" if operation == "GetCallerIdentity":
            return []  # it needs no permission
        case "cloudwatch" if operation == "PutMetricData":
            return [Call(action, "*", {"cloudwatch:namespace": [parameters["Namespace"]]})]
        case "sns" if operation == "PublishBatch":
            return [Call("sns:Publish", parameters["TopicArn"], {})]
        case "sns" if "TopicArn" in parameters:
            return [Call(action, parameters["TopicArn"], {})]
    raise NotInTheKit(
        f"A function calls {action}. The kit does not know its resource, so it can't check the "
        "function's role: extend patchbay/testkit/aws/calls.py."
    )


_S3_OBJECTS = {"HeadObject": "GetObject", "DeleteObject": "DeleteObject"}
_S3_LISTS = {"ListObjects", "ListObjectsV2", "HeadBucket"}


def _secret(name_or_arn: str) -> str:
    return name_or_arn if name_or_arn.startswith("arn:") else secret_arn(name_or_arn)


def _parameter(name: str) -> str:
    if name.startswith("arn:"):
        return name
    return arn_of("AWS::SSM::Parameter", name.partition(":")[0].removeprefix("/"))


def _put_event(action: str, entry: Parameters) -> Call:
    bus = entry.get("EventBusName", "default").rpartition("/")[2]
    context = {
        "events:source": [entry.get("Source", "")],
        "events:detail-type": [entry.get("DetailType", "")],
    }
    return Call(action, arn_of("AWS::Events::EventBus", bus), context)


def _on_tables(action: str, parameters: Parameters) -> Iterator[Call]:
    if "TransactItems" in parameters:
        for item in parameters["TransactItems"]:
            for part, fields in item.items():
                # A transaction needs the permissions of its parts.
                part_action = f"dynamodb:{part.removesuffix('Item')}Item"
                yield Call(part_action, _table(fields["TableName"]), {})
        return
    names = parameters.get("RequestItems") or [parameters.get("TableName")]
    if names == [None]:
        raise NotInTheKit(f"{action} names no table that the kit can see.")
    index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
    for name in names:
        yield Call(action, _table(name) + index, {})


def _table(name: str) -> str:
    return name if name.startswith("arn:") else arn_of("AWS::DynamoDB::Table", name)
