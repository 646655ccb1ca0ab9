"""The bestsellers' HTTP API: returns the chart."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from functions.bestsellers import chart
from patchbay.messaging import answer

app = APIGatewayHttpResolver()


class Bestsellers(BaseModel):
    """The body of GET /bestsellers: the best first."""

    bestsellers: list[chart.Place]


@app.get("/bestsellers")
def show() -> Response[str]:
    return answer(HTTPStatus.OK, Bestsellers(bestsellers=chart.read().places))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
