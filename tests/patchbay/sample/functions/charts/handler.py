"""Reads the stream of measurements, and says which bed is the hottest."""

import base64
import os
from decimal import Decimal
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from contracts.charts import HottestBedChanged
from contracts.climate import Measurement
from patchbay.messaging import Cause, caused_by, publish

_table = boto3.resource("dynamodb").Table(os.environ["CHARTS_TABLE"])


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    for record in event["Records"]:
        number = record["kinesis"]["sequenceNumber"]
        measurement = Measurement.model_validate_json(base64.b64decode(record["kinesis"]["data"]))
        if measurement.celsius > _hottest():
            with caused_by(Cause(seed=number, correlation_id=f"charts/{number}")):
                publish(HottestBedChanged(**measurement.model_dump()))
            _table.put_item(Item={"id": "hottest", "celsius": measurement.celsius})
    return {"state": event.get("state") or {}, "batchItemFailures": []}


def _hottest() -> Decimal:
    item: dict[str, Any] = _table.get_item(Key={"id": "hottest"}).get("Item", {})
    return Decimal(item.get("celsius", -273))
