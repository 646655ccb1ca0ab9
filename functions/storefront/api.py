"""The storefront's HTTP API: takes what visitors looked at and bought, and streams it."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from contracts.storefront import Interaction
from functions.messaging.telemetry import logger
from functions.storefront.stream import MAX_RECORDS, put

app = APIGatewayHttpResolver()


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


class BadBody(ValueError):
    """What was sent is no text."""


class Refusal(BaseModel):
    """The body of an answer that says no."""

    error: str
    fields: list[dict[str, str]]


@app.post("/views")
def take() -> Response[str]:
    interactions = _BODY.validate_json(_body())
    refused = put(interactions)
    taken = len(interactions) - len(refused)
    logger().info("taken", taken=taken, refused=len(refused))
    if refused:
        answer = PartlyTaken(taken=taken, refused=len(refused), refused_at=refused)
        return _json(HTTPStatus.SERVICE_UNAVAILABLE, answer)
    return _json(HTTPStatus.ACCEPTED, Taken(taken=taken))


@app.exception_handler(ValidationError)  # type: ignore[untyped-decorator]
def refuse_invalid(error: ValidationError) -> Response[str]:
    problems = [
        {"field": ".".join(map(str, each["loc"])) or "body", "problem": each["msg"]}
        for each in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return _json(HTTPStatus.BAD_REQUEST, Refusal(error="invalid interactions", fields=problems))


@app.exception_handler(BadBody)  # type: ignore[untyped-decorator]
def refuse_bad_body(error: BadBody) -> Response[str]:
    problem = {"field": "body", "problem": str(error)}
    return _json(HTTPStatus.BAD_REQUEST, Refusal(error=f"body: {error}", fields=[problem]))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)


def _body() -> str:
    """What was sent; API Gateway encodes what is not text."""
    try:
        return app.current_event.decoded_body or ""
    except ValueError as error:
        raise BadBody("is not UTF-8 text") from error


def _json(status: HTTPStatus, body: BaseModel) -> Response[str]:
    return Response(
        status_code=status, content_type="application/json", body=body.model_dump_json()
    )
