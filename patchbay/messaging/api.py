"""An HTTP API: what it answers, and how it refuses what was sent.

app = http_api("invalid order")

@app.post("/orders")
def place_order() -> Response[str]:
    return answer(HTTPStatus.CREATED, place(NewOrder.model_validate_json(body(app))))
"""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from pydantic import BaseModel, ValidationError


class BadRequest(ValueError):
    """What was sent is wrong, and where."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.problems = [{"field": field, "problem": problem}]


class Refusal(BaseModel):
    """The body of an answer that says no."""

    error: str
    fields: list[dict[str, str]] = []


def http_api(invalid: str) -> APIGatewayHttpResolver:
    """An API that refuses by itself what breaks its models, as `invalid`, and a BadRequest."""
    app = APIGatewayHttpResolver()

    @app.exception_handler(ValidationError)  # type: ignore[untyped-decorator]
    def refuse_invalid(error: ValidationError) -> Response[str]:
        problems = [
            {"field": ".".join(map(str, each["loc"])) or "body", "problem": each["msg"]}
            for each in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        return answer(HTTPStatus.BAD_REQUEST, Refusal(error=invalid, fields=problems))

    @app.exception_handler(BadRequest)  # type: ignore[untyped-decorator]
    def refuse_bad_request(error: BadRequest) -> Response[str]:
        return answer(HTTPStatus.BAD_REQUEST, Refusal(error=str(error), fields=error.problems))

    return app


def body(app: APIGatewayHttpResolver) -> str:
    """What was sent; API Gateway encodes what is not text. Raises BadRequest."""
    try:
        return app.current_event.decoded_body or ""
    except ValueError as error:
        raise BadRequest("body", "is not UTF-8 text") from error


def answer(status: HTTPStatus, content: BaseModel) -> Response[str]:
    """An answer in JSON; what is not there is left out."""
    return Response(
        status_code=status,
        content_type="application/json",
        body=content.model_dump_json(exclude_none=True),
    )
