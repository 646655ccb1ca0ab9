"""The HTTP API of the sensors."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.sensors import readings
from patchbay.messaging import Refusal, answer, body, http_api

app = http_api("invalid reading")


@app.post("/readings")
def take() -> Response[str]:
    new = readings.NewReading.model_validate_json(body(app))
    reading = readings.Reading(**new.model_dump())
    readings.add(reading)
    return answer(HTTPStatus.CREATED, reading)


@app.get("/readings/<reading_id>")
def show(reading_id: str) -> Response[str]:
    reading = readings.get(reading_id)
    if reading is None:
        return answer(HTTPStatus.NOT_FOUND, Refusal(error=f"there is no reading {reading_id}"))
    return answer(HTTPStatus.OK, reading)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
