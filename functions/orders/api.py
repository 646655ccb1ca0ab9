"""The shop's HTTP API: takes orders, and returns their status."""

from http import HTTPStatus
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, Field

from contracts.orders import OrderPlaced
from contracts.values import CustomerId, Dollars
from functions.orders import store
from patchbay.messaging import BadRequest, Refusal, answer, body, http_api, logger

MAX_KEY = 255  # characters of an Idempotency-Key
MAX_ITEMS = 1_000_000  # of an order: more than any has, and a number that DynamoDB can hold

app = http_api("invalid order")


class NewOrder(BaseModel):
    """The body of POST /orders. An unknown field is refused."""

    model_config = ConfigDict(extra="forbid")

    customer_id: CustomerId
    items: int = Field(gt=0, le=MAX_ITEMS)
    amount: Dollars


@app.post("/orders")
def place_order() -> Response[str]:
    new = NewOrder.model_validate_json(body(app))
    order = store.Order.of(OrderPlaced(order_id=_order_id(new), **new.model_dump()))
    kept = store.add(order)
    if kept.placed() != order.placed():
        raise BadRequest("Idempotency-Key", "was used before, for an order that differs from this")
    logger().info("order accepted", correlation_id=kept.order_id)
    return answer(HTTPStatus.CREATED, kept)


@app.get("/orders/<order_id>")
def show_order(order_id: str) -> Response[str]:
    return answer(HTTPStatus.OK, store.get(order_id))


@app.exception_handler(store.NoSuchOrder)  # type: ignore[untyped-decorator]
def not_found(error: store.NoSuchOrder) -> Response[str]:
    return answer(HTTPStatus.NOT_FOUND, Refusal(error=f"there is no order {error}"))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)


def _order_id(new: NewOrder) -> str:
    """Return the id of an order; a customer's repeated key returns the same id."""
    key = app.current_event.headers.get("idempotency-key")
    if not key:
        return str(uuid4())
    if len(key) > MAX_KEY:
        raise BadRequest("Idempotency-Key", f"has {len(key)} characters; at most {MAX_KEY}")
    return str(uuid5(NAMESPACE_URL, f"{new.customer_id}/{key}"))
