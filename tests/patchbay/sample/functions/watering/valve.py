"""Opens the valve of a bed: what the state machine asks for."""

import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

_table = boto3.resource("dynamodb").Table(os.environ["TANKS_TABLE"])


class ValveStuck(Exception):
    """The valve will never open."""


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Open the valve; raises ValveStuck, which no retry changes."""
    if event["sensor_id"].startswith("stuck"):
        raise ValveStuck(f"the valve of {event['sensor_id']} is stuck")
    _table.put_item(Item={"sensor_id": event["sensor_id"], "litres": event["litres"]})
    return {"litres": event["litres"]}
