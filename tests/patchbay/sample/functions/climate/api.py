"""The HTTP API of the climate service."""

import os
from http import HTTPStatus
from typing import Any

import boto3
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from contracts.climate import Measurement
from patchbay.messaging import answer, body, http_api

app = http_api("invalid measurement")
_kinesis = boto3.client("kinesis")


@app.post("/measurements")
def take() -> Response[str]:
    measurement = Measurement.model_validate_json(body(app))
    record: Any = {
        "Data": measurement.model_dump_json().encode(),
        "PartitionKey": measurement.sensor_id,
    }
    _kinesis.put_records(StreamName=os.environ["STREAM"], Records=[record])
    return answer(HTTPStatus.ACCEPTED, measurement)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
