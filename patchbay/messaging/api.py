"""An HTTP API: its responses, and its refusals of invalid requests.

app = http_api("invalid order")

@app.post("/orders")
def place_order() -> Response[str]:
    return answer(HTTPStatus.CREATED, place(NewOrder.model_validate_json(body(app))))
"""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from pydantic import BaseModel, ValidationError


class BadRequest(ValueError):
    """A request is invalid; the message has the field and the problem."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.problems = [{"field": field, "problem": problem}]


class Refusal(BaseModel):
    """The body of a response that refuses a request."""

    error: str
    fields: list[dict[str, str]] = []


def http_api(invalid: str) -> APIGatewayHttpResolver:
    """Return an API that answers 400 to a BadRequest, and to a ValidationError as `invalid`."""
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
    """Return the request's body, decoded; raises BadRequest where it is not UTF-8 text."""
    try:
        return app.current_event.decoded_body or ""
    except ValueError as error:
        raise BadRequest("body", "is not UTF-8 text") from error


def answer(status: HTTPStatus, content: BaseModel) -> Response[str]:
    """Return a JSON response, without the fields that are None."""
    return Response(
        status_code=status,
        content_type="application/json",
        body=content.model_dump_json(exclude_none=True),
    )
