"""The step that takes an order's items from the stock, and records its shipment."""

import hashlib
import os
from typing import Any

import boto3

from contracts.orders import OrderPlaced
from demo.coupling.functions.step import Answer, StepFailed, call, step
from patchbay.messaging.telemetry import logger

WAREHOUSE = "main"

# The resource's client accepts plain values; a plain client would need DynamoDB's types.
_dynamodb: Any = boto3.resource("dynamodb").meta.client
_cancelled = _dynamodb.exceptions.TransactionCanceledException


@step
def handler(event: Answer) -> Answer:
    order = OrderPlaced.model_validate(event)
    _ship(order)
    logger().info("shipped", correlation_id=order.order_id)
    call("notifications", order.model_dump(mode="json"))
    return {"status": "shipped"}


def _ship(order: OrderPlaced) -> None:
    """Record the shipment and reduce the stock, once for each order.

    Raises StepFailed where the stock is too small.
    """
    shipment = {
        "order_id": order.order_id,
        "warehouse": WAREHOUSE,
        "items": order.items,
        "tracking": f"RR{hashlib.sha256(order.order_id.encode()).hexdigest()[:12].upper()}",
    }
    take = {
        "TableName": os.environ["STOCK_TABLE"],
        "Key": {"warehouse": WAREHOUSE},
        "UpdateExpression": "SET available = available - :items",
        "ConditionExpression": "available >= :items",
        "ExpressionAttributeValues": {":items": order.items},
    }
    record = {
        "TableName": os.environ["SHIPMENTS_TABLE"],
        "Item": shipment,
        "ConditionExpression": "attribute_not_exists(order_id)",
    }
    try:
        _dynamodb.transact_write_items(TransactItems=[{"Put": record}, {"Update": take}])
    except _cancelled as error:
        recorded, taken = (reason["Code"] for reason in error.response["CancellationReasons"])
        if recorded == "ConditionalCheckFailed":
            return  # it was shipped before
        if taken == "ConditionalCheckFailed":
            raise StepFailed("fulfilment: the stock is too small") from error
        raise
