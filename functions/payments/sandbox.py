"""The sandbox: a stand-in for the payment provider, with charges, refunds and a ledger.

    POST /charges     {"order_id", "customer_id", "amount"}     idempotent by Idempotency-Key
    POST /refunds     {"order_id", "amount"}                    idempotent by Idempotency-Key
    GET  /ledger      every charge and refund, a page at a time (?after=KEY)
    GET  /behaviour   its current behaviour
    PUT  /behaviour   {"mode": "ok" | "slow" | "down", "decline_above": "100.00" | null}

Its behaviour is stored in the ledger, so that it can be changed while it runs.
"""

import json
import os
import time
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from functions.payments.ledger import Item, Ledger, TableLedger

Kind = Literal["charge", "refund"]
Key = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Answer = tuple[HTTPStatus, dict[str, Any]]

SLOWNESS = 2.0  # seconds that the slow provider takes for a response
BEHAVIOUR = "behaviour"  # the id of the one item in the ledger that is no charge or refund


@cache
def _table() -> Ledger:
    return TableLedger(os.environ["LEDGER_TABLE"])


# A server with one process may replace it.
ledger: Callable[[], Ledger] = _table


class Behaviour(BaseModel):
    """The current behaviour of the provider."""

    mode: Literal["ok", "slow", "down"] = "ok"
    decline_above: Decimal | None = None


class Request(BaseModel):
    """A request for a charge or a refund; a refund needs no customer."""

    idempotency_key: Key
    order_id: str
    amount: Decimal = Field(gt=0)
    customer_id: str | None = None


class Down(Exception):
    """The provider is down."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Handle one request. There is no state outside the ledger, so many can be handled at once."""
    try:
        status, body = _route(event)
    except Down as error:
        status, body = HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(error)}
    except ValidationError as error:
        status, body = HTTPStatus.BAD_REQUEST, {"error": str(error)}
    return {
        "statusCode": status.value,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body, default=str),
    }


def _route(event: dict[str, Any]) -> Answer:
    match event["requestContext"]["http"]["method"], event["rawPath"]:
        case "POST", "/charges":
            return _charge(event)
        case "POST", "/refunds":
            return _refund(event)
        case "GET", "/ledger":
            return _ledger((event.get("queryStringParameters") or {}).get("after"))
        case "GET", "/behaviour":
            return HTTPStatus.OK, _behaviour().model_dump()
        case "PUT", "/behaviour":
            return _set_behaviour(Behaviour.model_validate_json(event.get("body") or ""))
        case method, path:
            return HTTPStatus.NOT_FOUND, {"error": f"there is no {method} {path}"}


def _charge(event: dict[str, Any]) -> Answer:
    limit = _apply_behaviour().decline_above
    request = _request(event)
    declined = limit is not None and request.amount > limit
    entry = _record("charge", request, "declined" if declined else "succeeded")
    if entry["status"] == "declined":
        reason = "the amount is above the card's limit"
        return HTTPStatus.PAYMENT_REQUIRED, entry | {"reason": reason}
    return HTTPStatus.CREATED, entry


def _refund(event: dict[str, Any]) -> Answer:
    _apply_behaviour()
    return HTTPStatus.CREATED, _record("refund", _request(event), "succeeded")


def _ledger(after: str | None) -> Answer:
    items, following = ledger().page(after)
    entries = [item for item in items if item["id"] != BEHAVIOUR]
    return HTTPStatus.OK, {"entries": entries, "after": following}


def _set_behaviour(behaviour: Behaviour) -> Answer:
    ledger().put({"id": BEHAVIOUR, "value": behaviour.model_dump_json()})
    return HTTPStatus.OK, behaviour.model_dump()


def _behaviour() -> Behaviour:
    """Return the behaviour that was set last."""
    item = ledger().get(BEHAVIOUR)
    return Behaviour.model_validate_json(str(item["value"])) if item else Behaviour()


def _apply_behaviour() -> Behaviour:
    """Return the behaviour, after a wait if it is slow; raises Down."""
    behaviour = _behaviour()
    if behaviour.mode == "down":
        raise Down("the provider is down")
    if behaviour.mode == "slow":
        time.sleep(SLOWNESS)
    return behaviour


def _request(event: dict[str, Any]) -> Request:
    try:
        fields = json.loads(event.get("body") or "")
    except ValueError:
        fields = None
    key = event["headers"].get("idempotency-key", "")
    return Request.model_validate(
        fields | {"idempotency_key": key} if isinstance(fields, dict) else fields
    )


def _record(kind: Kind, request: Request, status: str) -> Item:
    """Write an entry to the ledger; an entry with the same key is not changed."""
    entry: Item = {
        "id": f"{kind}-{request.idempotency_key}",
        "kind": kind,
        "order_id": request.order_id,
        "amount": request.amount,
        "status": status,
    }
    if ledger().add(entry):
        return entry
    return ledger().get(entry["id"]) or entry
