"""The orders table."""

import os
from datetime import UTC, datetime
from typing import Literal

import boto3
from boto3.dynamodb.conditions import Attr
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from contracts.orders import OrderPlaced
from contracts.values import CustomerId, Dollars, OrderId

Status = Literal["placed", "paid", "declined", "shipped", "unfulfillable", "refunded"]

# Events arrive in any order: an earlier status never replaces a later one.
_BEFORE: dict[Status, tuple[Status, ...]] = {
    "paid": ("placed",),
    "declined": ("placed",),
    "shipped": ("placed", "paid"),
    "unfulfillable": ("placed", "paid"),
    "refunded": ("placed", "paid", "unfulfillable"),
}


class NoSuchOrder(LookupError):
    """There is no order with that id."""


class Order(BaseModel):
    """An order, as it is in the table and in the responses of the API."""

    order_id: OrderId
    customer_id: CustomerId
    items: int
    amount: Dollars
    status: Status = "placed"
    reason: str | None = None  # why it was declined or refunded
    placed_at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def of(cls, placed: OrderPlaced) -> "Order":
        return cls(**placed.model_dump())

    def placed(self) -> OrderPlaced:
        """Return the event of this order."""
        return OrderPlaced.model_validate(self.model_dump())


_ORDER_ID: TypeAdapter[str] = TypeAdapter(OrderId)

_table = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])
_conflict = _table.meta.client.exceptions.ConditionalCheckFailedException


def add(order: Order) -> Order:
    """Write a new order; if its id exists, return the existing order instead."""
    item = order.model_dump(exclude_none=True) | {"placed_at": order.placed_at.isoformat()}
    try:
        _table.put_item(Item=item, ConditionExpression="attribute_not_exists(order_id)")
    except _conflict:
        return get(order.order_id)
    return order


def get(order_id: str) -> Order:
    """Return an order; raises NoSuchOrder, also for an invalid id."""
    if not _is_order_id(order_id):
        raise NoSuchOrder(order_id)
    item = _table.get_item(Key={"order_id": order_id}, ConsistentRead=True).get("Item")
    if item is None:
        raise NoSuchOrder(order_id)
    return Order.model_validate(item)


def advance(order_id: str, status: Status, reason: str | None = None) -> None:
    """Set an order's status, unless it is already past that one. Raises NoSuchOrder."""
    try:
        _table.update_item(
            Key={"order_id": order_id},
            UpdateExpression="SET #status = :status, #reason = :reason",
            ConditionExpression=Attr("status").is_in(_BEFORE[status]),
            ExpressionAttributeNames={"#status": "status", "#reason": "reason"},
            ExpressionAttributeValues={":status": status, ":reason": reason},
        )
    except _conflict:
        get(order_id)


def _is_order_id(text: str) -> bool:
    # DynamoDB refuses a key of over 2,048 bytes with an error.
    try:
        _ORDER_ID.validate_python(text)
    except ValidationError:
        return False
    return True
