"""The storefront's HTTP API: takes what visitors looked at and bought, and streams it."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from contracts.storefront import Interaction
from functions.storefront.stream import MAX_RECORDS, put
from patchbay.messaging import answer, body, http_api, logger

app = http_api("invalid interactions")


class NewInteraction(Interaction):
    """One of the body of POST /views. A field that it does not know is said to be a mistake."""

    model_config = ConfigDict(extra="forbid")


_Body = Annotated[list[NewInteraction], Field(min_length=1, max_length=MAX_RECORDS)]
_BODY: TypeAdapter[list[NewInteraction]] = TypeAdapter(_Body)


class Taken(BaseModel):
    """How much of what was sent is on the stream."""

    taken: int


class PartlyTaken(Taken):
    """What is not on it, to be sent again: those at these positions in the list, from 0."""

    refused: int
    refused_at: list[int]


@app.post("/views")
def take() -> Response[str]:
    interactions = _BODY.validate_json(body(app))
    refused = put(interactions)
    taken = len(interactions) - len(refused)
    logger().info("taken", taken=taken, refused=len(refused))
    if refused:
        partly = PartlyTaken(taken=taken, refused=len(refused), refused_at=refused)
        return answer(HTTPStatus.SERVICE_UNAVAILABLE, partly)
    return answer(HTTPStatus.ACCEPTED, Taken(taken=taken))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
