"""HTTP APIs: the responses to invalid requests."""

import json
from http import HTTPStatus
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, PositiveInt

from patchbay.messaging.api import BadRequest, answer, body, http_api
from patchbay.testkit.aws.network import http_event


class Crate(BaseModel):
    weight: PositiveInt
    note: str | None = None


@pytest.fixture
def api() -> APIGatewayHttpResolver:
    app = http_api("invalid crate")

    @app.post("/crates")
    def send() -> Response[str]:
        crate = Crate.model_validate_json(body(app))
        if crate.weight > 1000:
            raise BadRequest("weight", "is too much")
        return answer(HTTPStatus.CREATED, crate)

    return app


def sent(api: APIGatewayHttpResolver, content: bytes) -> tuple[int, Any]:
    request = http_event("POST", "/crates", {}, content, "greenhouse.example")
    found = api.resolve(request, LambdaContext())
    return found["statusCode"], json.loads(found["body"])


def test_a_response_leaves_out_fields_that_are_none(api: APIGatewayHttpResolver) -> None:
    assert sent(api, b'{"weight": 7}') == (201, {"weight": 7})


def test_an_invalid_request_is_refused_field_by_field(api: APIGatewayHttpResolver) -> None:
    status, answer = sent(api, b'{"weight": 0, "note": 5}')
    assert (status, answer["error"]) == (400, "invalid crate")
    assert [each["field"] for each in answer["fields"]] == ["weight", "note"]


def test_a_body_that_is_not_json_is_refused(api: APIGatewayHttpResolver) -> None:
    status, answer = sent(api, b"")
    assert (status, answer["fields"][0]["field"]) == (400, "body")


def test_a_body_that_is_not_text_is_refused(api: APIGatewayHttpResolver) -> None:
    status, answer = sent(api, b"\xff")
    assert (status, answer["error"]) == (400, "body: is not UTF-8 text")


def test_a_services_own_refusal_has_its_message(api: APIGatewayHttpResolver) -> None:
    problem = {"field": "weight", "problem": "is too much"}
    assert sent(api, b'{"weight": 1001}') == (
        400,
        {"error": "weight: is too much", "fields": [problem]},
    )
