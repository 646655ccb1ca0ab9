"""The statements of AWS managed policies that functions' roles commonly have.

From the AWS Managed Policy Reference Guide.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Statement = Mapping[str, Any]

_LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
_ACTIONS = {
    "service-role/AWSLambdaBasicExecutionRole": _LOGS,
    "service-role/AWSLambdaVPCAccessExecutionRole": [
        *_LOGS,
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ],
    "service-role/AWSLambdaSQSQueueExecutionRole": [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        *_LOGS,
    ],
    "service-role/AWSLambdaDynamoDBExecutionRole": [
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
        *_LOGS,
    ],
    "service-role/AWSLambdaKinesisExecutionRole": [
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
        "kinesis:ListStreams",
        "kinesis:SubscribeToShard",
        *_LOGS,
    ],
    "AWSXRayDaemonWriteAccess": [
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:GetSamplingStatisticSummaries",
    ],
    "AdministratorAccess": ["*"],
}


def statements(arn: str) -> Iterator[Statement]:
    """Yield the statements of an AWS managed policy; an unreadable one if the kit has no text."""
    name = arn.partition(":policy/")[2]
    if ":iam::aws:" in arn and name in _ACTIONS:
        yield {"Effect": "Allow", "Action": _ACTIONS[name], "Resource": "*"}
    else:
        yield unreadable(f"the managed policy {arn}, which the kit can't read")


def unreadable(what: str) -> Statement:
    """Return a statement for a policy whose text the kit does not have."""
    return {"Effect": "Unreadable", "What": what}
