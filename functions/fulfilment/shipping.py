"""Arranges the shipment of a parcel with the carrier, for the state machine."""

import hashlib
import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, PositiveInt

from contracts.values import OrderId
from patchbay.messaging import logger

HEAVIEST = 40  # records: the carrier takes no more in a parcel


class TooHeavy(Exception):
    """The carrier will never take the parcel."""


class NotHeld(Exception):
    """There is nothing to ship: the order's stock is not reserved, or was released."""


class Parcel(BaseModel):
    """A parcel to be shipped."""

    order_id: OrderId
    items: PositiveInt
    correlation_id: str


_parcels = boto3.resource("dynamodb").Table(os.environ["PARCELS_TABLE"])
_conflict = _parcels.meta.client.exceptions.ConditionalCheckFailedException


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:
    """Ship a parcel; a repeated call returns the same tracking number.

    Raises TooHeavy and NotHeld, which are not to be retried.
    """
    parcel = Parcel.model_validate(event)
    logger().append_keys(correlation_id=parcel.correlation_id)
    if parcel.items > HEAVIEST:
        raise TooHeavy(f"{parcel.items} records are too heavy: a parcel takes {HEAVIEST}")
    tracking = _tracking(parcel.order_id)
    _record(parcel.order_id, tracking)
    logger().info("shipped", order_id=parcel.order_id, tracking=tracking)
    return {"tracking": tracking}


def _tracking(order_id: str) -> str:
    return f"PB{hashlib.sha256(order_id.encode()).hexdigest()[:12].upper()}"


def _record(order_id: str, tracking: str) -> None:
    """Write the shipment to the parcel's item, unless its stock was released meanwhile."""
    try:
        _parcels.update_item(
            Key={"order_id": order_id},
            UpdateExpression="SET #state = :shipped, #tracking = :tracking",
            ConditionExpression="#state IN (:held, :shipped)",
            ExpressionAttributeNames={"#state": "state", "#tracking": "tracking"},
            ExpressionAttributeValues={
                ":held": "held", ":shipped": "shipped", ":tracking": tracking
            },
        )  # fmt: skip
    except _conflict as error:
        raise NotHeld(f"no stock is held for order {order_id}") from error
