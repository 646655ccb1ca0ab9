"""Refunds what was charged for an order that can't be fulfilled."""

from contracts.fulfilment import OrderUnfulfillable
from contracts.payments import PaymentRefunded
from functions.payments.provider import refund
from patchbay.messaging import consumer, publish


@consumer
def handler(order: OrderUnfulfillable) -> None:
    if order.amount > 0:
        refund(order.order_id, order.amount)
    publish(
        PaymentRefunded(
            order_id=order.order_id,
            customer_id=order.customer_id,
            amount=order.amount,
            payment_id=order.payment_id,
            reason=order.reason,
        )
    )
