"""A stand-in for the payment provider, behind a function URL: charges, refunds, and a ledger.

    POST /charges     {"order_id", "customer_id", "amount"}     idempotent by Idempotency-Key
    POST /refunds     {"order_id", "amount"}                    idempotent by Idempotency-Key
    GET  /ledger      every charge and refund, a page at a time (?after=KEY)
    PUT  /behaviour   {"mode": "ok" | "slow" | "down", "decline_above": "100.00" | null}

How it behaves is kept with the ledger, so it can be changed while it runs.
"""

import json
import os
import time
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Literal

import boto3
from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from boto3.dynamodb.conditions import Attr
from pydantic import BaseModel, Field, StringConstraints, ValidationError

Kind = Literal["charge", "refund"]
Key = Annotated[str, StringConstraints(min_length=1, max_length=255)]

SLOWNESS = 2.0  # seconds that a slow provider takes
BEHAVIOUR = "behaviour"  # the key of the table's one item that is no ledger entry

app = LambdaFunctionUrlResolver()
_table = boto3.resource("dynamodb").Table(os.environ["LEDGER_TABLE"])
_conflict = _table.meta.client.exceptions.ConditionalCheckFailedException


class Behaviour(BaseModel):
    """How the provider answers at the moment."""

    mode: Literal["ok", "slow", "down"] = "ok"
    decline_above: Decimal | None = None


class Request(BaseModel):
    """Who asks for what; a refund needs no customer."""

    idempotency_key: Key
    order_id: str
    amount: Decimal = Field(gt=0)
    customer_id: str | None = None


@app.post("/charges")
def charge() -> Response[str]:
    behaviour = _behave()
    request = _request()
    limit = behaviour.decline_above
    declined = limit is not None and request.amount > limit
    entry = _record("charge", request, "declined" if declined else "succeeded")
    if entry["status"] == "declined":
        reason = "the amount is above the card's limit"
        return _json(HTTPStatus.PAYMENT_REQUIRED, entry | {"reason": reason})
    return _json(HTTPStatus.CREATED, entry)


@app.post("/refunds")
def refund() -> Response[str]:
    _behave()
    return _json(HTTPStatus.CREATED, _record("refund", _request(), "succeeded"))


@app.get("/ledger")
def ledger() -> Response[str]:
    after = app.current_event.query_string_parameters.get("after")
    start: Any = {"ExclusiveStartKey": {"id": after}} if after else {}
    page = _table.scan(ConsistentRead=True, FilterExpression=Attr("id").ne(BEHAVIOUR), **start)
    following = page.get("LastEvaluatedKey", {}).get("id")
    return _json(HTTPStatus.OK, {"entries": page["Items"], "after": following})


@app.put("/behaviour")
def behave() -> Response[str]:
    behaviour = Behaviour.model_validate_json(app.current_event.decoded_body or "")
    _table.put_item(Item={"id": BEHAVIOUR, "value": behaviour.model_dump_json()})
    return _json(HTTPStatus.OK, behaviour.model_dump(mode="json"))


@app.exception_handler(ValidationError)  # type: ignore[untyped-decorator]
def refuse_invalid(error: ValidationError) -> Response[str]:
    return _json(HTTPStatus.BAD_REQUEST, {"error": str(error)})


class Down(Exception):
    """The provider is down."""


@app.exception_handler(Down)  # type: ignore[untyped-decorator]
def be_down(_: Down) -> Response[str]:
    return _json(HTTPStatus.SERVICE_UNAVAILABLE, {"error": "the provider is down"})


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)


def _behave() -> Behaviour:
    item = _table.get_item(Key={"id": BEHAVIOUR}, ConsistentRead=True).get("Item")
    behaviour = Behaviour.model_validate_json(str(item["value"])) if item else Behaviour()
    if behaviour.mode == "down":
        raise Down
    if behaviour.mode == "slow":
        time.sleep(SLOWNESS)
    return behaviour


def _request() -> Request:
    fields = app.current_event.json_body
    key = app.current_event.headers.get("idempotency-key", "")
    return Request.model_validate(fields | {"idempotency_key": key})


def _record(kind: Kind, request: Request, status: str) -> dict[str, Any]:
    """Enter it in the ledger; under a key that is known, what is there stands."""
    entry: dict[str, Any] = {
        "id": f"{kind}-{request.idempotency_key}",
        "kind": kind,
        "order_id": request.order_id,
        "amount": request.amount,
        "status": status,
    }
    try:
        _table.put_item(Item=entry, ConditionExpression=Attr("id").not_exists())
    except _conflict:
        return dict(_table.get_item(Key={"id": entry["id"]}, ConsistentRead=True)["Item"])
    return entry


def _json(status: HTTPStatus, body: dict[str, Any]) -> Response[str]:
    return Response(
        status_code=status,
        content_type="application/json",
        body=json.dumps(body, default=str),
    )
