"""A minimal system: one function, its queue and its rule."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from patchbay.project.naming import bus_name, named
from patchbay.testkit.templates import Templates

STAGE = "test"
BUS, NAME = bus_name(STAGE), named(STAGE, "worker")
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
# Logs the bodies of its batch, and then runs the code in `then`.
HANDLER = """
import json, time

def handler(event, context):
    bodies = [record["body"] for record in event["Records"]]
    print(json.dumps({"message": "batch", "bodies": bodies, "at": time.time()}))
    ids = [record["messageId"] for record in event["Records"]]
"""


def small(
    folder: Path,
    then: str = "",
    *,
    queue: Mapping[str, Any] | None = None,
    mapping: Mapping[str, Any] | None = None,
    function: Mapping[str, Any] | None = None,
    changes: Mapping[str, Mapping[str, Any] | None] | None = None,
) -> Templates:
    """Return a rule, a queue with its dead-letter queue, and a function called `worker`.

    `then` is the end of its handler. `queue`, `mapping` and `function` add to their properties;
    `changes` replaces whole resources, or removes them.
    """
    fifo = bool((queue or {}).get("FifoQueue"))
    end = ".fifo" if fifo else ""
    kind = {"FifoQueue": True} if fifo else {}
    by_content: dict[str, Any] = {"ContentBasedDeduplication": True} if fifo else {}
    resources: dict[str, Any] = {
        "Bus": resource("Events::EventBus", Name=BUS),
        "Queue": resource(
            "SQS::Queue",
            QueueName=NAME + end,
            VisibilityTimeout=60,
            RedrivePolicy={"deadLetterTargetArn": at("Dead"), "maxReceiveCount": 3},
            **(by_content | dict(queue or {})),
        ),
        "Dead": resource("SQS::Queue", QueueName=f"{NAME}-dead{end}", **kind),
        "Undelivered": resource("SQS::Queue", QueueName=f"{NAME}-undelivered"),
        "Policy": policy("Queue", "Undelivered"),
        "Role": role(ALL),
        "Function": resource(
            "Lambda::Function",
            FunctionName=NAME,
            Handler="worker.handler",
            Role=at("Role"),
            Timeout=10,
            Code={"S3Key": "code.zip"},
            **(function or {}),
        ),
        "Mapping": resource(
            "Lambda::EventSourceMapping",
            EventSourceArn=at("Queue"),
            FunctionName={"Ref": "Function"},
            **{"FunctionResponseTypes": ["ReportBatchItemFailures"], **(mapping or {})},
        ),
        "Rule": rule("Queue", group="a group" if fifo else None),
    } | dict(changes or {})
    code = HANDLER + textwrap.indent(textwrap.dedent(then), "    ")
    (folder / "asset.code").mkdir(exist_ok=True)
    (folder / "asset.code" / "worker.py").write_text(code)
    present = {name: body for name, body in resources.items() if body is not None}
    return Templates({"small": {"Resources": present}}, folder, stage="test")


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def at(logical_id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def role(*statements: Mapping[str, Any], service: str = "lambda.amazonaws.com") -> dict[str, Any]:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    return resource(
        "IAM::Role",
        AssumeRolePolicyDocument={"Statement": [trust]},
        Policies=[{"PolicyDocument": {"Statement": list(statements)}}],
    )


def policy(*queues: str, of: str = "Rule") -> dict[str, Any]:
    """Return a queue policy that lets EventBridge send for one rule."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": at(of)}},
    }
    return resource(
        "SQS::QueuePolicy",
        Queues=[{"Ref": queue} for queue in queues],
        PolicyDocument={"Statement": [statement]},
    )


def rule(queue: str, group: str | None = None, **properties: Any) -> dict[str, Any]:
    target: dict[str, Any] = {"Id": "t", "Arn": at(queue)}
    target["DeadLetterConfig"] = {"Arn": at("Undelivered")}
    target["RetryPolicy"] = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
    if group:
        target["SqsParameters"] = {"MessageGroupId": group}
    pattern = {"source": ["greenhouse.test"]}
    return resource(
        "Events::Rule",
        **{"Name": "a-rule", "EventBusName": BUS, "EventPattern": pattern, "Targets": [target]},
        **properties,
    )
