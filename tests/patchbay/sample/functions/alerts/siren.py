"""The siren: a third party, for whom this function stands in."""

import json
import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

_table = boto3.resource("dynamodb").Table(os.environ["SIREN_TABLE"])


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    _table.put_item(Item={"sensor_id": json.loads(event["body"])["sensor_id"]})
    return {"statusCode": 204}
