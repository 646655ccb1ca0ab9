"""The transactional outbox: reads the orders table's stream, and publishes each new order.

An order that is in the table will be published, since its stream record stays until this function
succeeds; one that is not in the table can't be. A batch that is read again publishes the same ids
again, and consumers skip what they have handled.
"""

from typing import Any

from aws_lambda_powertools.utilities.data_classes import DynamoDBStreamEvent, event_source
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.orders.store import Order
from patchbay.messaging import Cause, Outgoing, caused_by, logger, prepare, send


@event_source(data_class=DynamoDBStreamEvent)
def handler(event: DynamoDBStreamEvent, context: LambdaContext) -> None:
    """Publish `OrderPlaced` for every new order; if this raises, the batch is retried."""
    orders = [_order(record) for record in event.records]
    send([_placed(order) for order in orders])
    for order in orders:
        logger().info("published", correlation_id=order.order_id)


def _order(record: DynamoDBRecord) -> Order:
    image: dict[str, Any] = record.dynamodb.new_image if record.dynamodb else {}
    return Order.model_validate(image)


def _placed(order: Order) -> Outgoing:
    with caused_by(Cause(seed=order.order_id, correlation_id=order.order_id)):
        return prepare(order.placed())
