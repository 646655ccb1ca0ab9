"""The storefront's HTTP API: puts the views and purchases of visitors on the stream."""

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
    """An item in the body of POST /views. An unknown field is refused."""

    model_config = ConfigDict(extra="forbid")


_Body = Annotated[list[NewInteraction], Field(min_length=1, max_length=MAX_RECORDS)]
_BODY: TypeAdapter[list[NewInteraction]] = TypeAdapter(_Body)


class Taken(BaseModel):
    """The number of interactions that are on the stream."""

    taken: int


class PartlyTaken(Taken):
    """The interactions to be sent again, by their positions in the list, from 0."""

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
