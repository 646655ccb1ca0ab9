"""The API: it accepts an order, calls the steps, and returns the order's final status."""

import os
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from boto3.dynamodb.conditions import Attr
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from contracts.orders import OrderPlaced
from contracts.values import CustomerId, Dollars
from demo.coupling.functions.step import StepFailed, call
from patchbay.messaging.telemetry import logger

_table = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])
_conflict = _table.meta.client.exceptions.ConditionalCheckFailedException


class NewOrder(BaseModel):
    """The body of POST /orders."""

    model_config = ConfigDict(extra="forbid")

    customer_id: CustomerId
    items: PositiveInt
    amount: Dollars


class Outcome(BaseModel):
    """The body of every response: an order and its status, or an error."""

    order_id: str | None = None
    status: str
    reason: str | None = None


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    try:
        new = NewOrder.model_validate_json(event.get("body") or "")
    except ValidationError as error:
        return _json(HTTPStatus.BAD_REQUEST, Outcome(status="invalid", reason=str(error)))
    key = event["headers"]["idempotency-key"]
    order_id = str(uuid5(NAMESPACE_URL, f"{new.customer_id}/{key}"))
    placed = OrderPlaced(order_id=order_id, **new.model_dump())
    _add(placed)
    try:
        outcome = call("payments", placed.model_dump(mode="json"))
    except StepFailed as failure:
        logger().warning("order failed", correlation_id=order_id, reason=str(failure))
        _settle(order_id, "failed", str(failure))
        answer = Outcome(order_id=order_id, status="failed", reason=str(failure))
        return _json(HTTPStatus.SERVICE_UNAVAILABLE, answer)
    _settle(order_id, outcome["status"], outcome.get("reason"))
    logger().info("order finished", correlation_id=order_id)
    return _json(HTTPStatus.CREATED, Outcome(order_id=order_id, **outcome))


def _add(order: OrderPlaced) -> None:
    """Write a new order. A repeated order goes through the steps again: each is idempotent."""
    item = order.model_dump() | {"status": "placed", "placed_at": datetime.now(UTC).isoformat()}
    try:
        _table.put_item(Item=item, ConditionExpression=Attr("order_id").not_exists())
    except _conflict:
        logger().info("order repeated", correlation_id=order.order_id)


def _settle(order_id: str, status: str, reason: str | None) -> None:
    _table.update_item(
        Key={"order_id": order_id},
        UpdateExpression="SET #status = :status, #reason = :reason",
        ExpressionAttributeNames={"#status": "status", "#reason": "reason"},
        ExpressionAttributeValues={":status": status, ":reason": reason},
    )


def _json(status: HTTPStatus, body: Outcome) -> dict[str, Any]:
    return {
        "statusCode": status.value,
        "headers": {"content-type": "application/json"},
        "body": body.model_dump_json(exclude_none=True),
    }
