"""The step that charges the customer for an order, and calls the next step."""

import os

from contracts.orders import OrderPlaced
from demo.coupling.functions.step import Answer, call, step
from functions.payments.provider import Declined, charge
from patchbay.messaging.telemetry import logger


@step
def handler(event: Answer) -> Answer:
    order = OrderPlaced.model_validate(event)
    try:
        # The order's id is the provider's idempotency key, so a retry does not charge twice.
        if order.amount:
            charge(order.order_id, order.customer_id, order.amount)
    except Declined as declined:
        reason = str(declined)
        call("notifications", order.model_dump(mode="json") | {"declined": reason})
        return {"status": "declined", "reason": reason}
    logger().info("paid", correlation_id=order.order_id)
    answer = call(os.environ["AFTER_PAYMENT"], order.model_dump(mode="json"))
    return {"status": answer.get("status", "paid")}
