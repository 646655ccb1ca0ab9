"""What a boto3 call means to IAM: which action it is, and on which resource."""

from collections.abc import Iterator, Mapping
from typing import Any

from patchbay.testkit.aws.arns import arn, arn_of, queue_arn_of_url
from patchbay.testkit.aws.iam import Call
from patchbay.testkit.errors import NotInTheKit

Parameters = Mapping[str, Any]

_PREFIX = {
    "sesv2": "ses",
    "stepfunctions": "states",
}  # where the service's name is not its actions' prefix


def calls(service: str, operation: str, parameters: Parameters) -> list[Call]:
    """All that the call needs to be allowed; raises NotInTheKit for what it can't judge."""
    action = f"{_PREFIX.get(service, service)}:{operation}"
    match service:
        case "events" if operation == "PutEvents":
            return [_put_event(action, entry) for entry in parameters["Entries"]]
        case "sqs" if "QueueUrl" in parameters:
            # IAM has no actions of their own for batches.
            single = action.removesuffix("Batch")
            return [Call(single, queue_arn_of_url(parameters["QueueUrl"]), {})]
        case "s3" if operation in ("GetObject", "PutObject"):
            return [Call(action, f"arn:aws:s3:::{parameters['Bucket']}/{parameters['Key']}", {})]
        case "dynamodb":
            return list(_on_tables(action, parameters))
        case "sesv2" if operation == "SendEmail":
            identity = arn("ses:{where}:identity/{name}", parameters["FromEmailAddress"])
            return [Call(action, identity, {})]
        case "stepfunctions" if "stateMachineArn" in parameters:
            return [Call(action, parameters["stateMachineArn"], {})]
        case "kinesis" if "StreamName" in parameters:
            return [Call(action, arn_of("AWS::Kinesis::Stream", parameters["StreamName"]), {})]
        case "sns" if "TopicArn" in parameters:
            return [Call(action, parameters["TopicArn"], {})]
    raise NotInTheKit(
        f"A function calls {action}. The kit does not know on which resource, so it can't tell "
        "whether its role may: teach patchbay/testkit/aws/calls.py."
    )


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
                # A transaction needs what its parts need.
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
