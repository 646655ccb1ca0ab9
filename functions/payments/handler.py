"""Charges the customer for an order, and publishes the result."""

from contracts.orders import OrderPlaced
from contracts.payments import PaymentDeclined, PaymentTaken
from functions.payments.provider import Declined, charge
from patchbay.messaging import consumer, publish


@consumer
def handler(order: OrderPlaced) -> None:
    if order.amount == 0:
        publish(_taken(order, payment_id=None))
        return
    try:
        payment_id = charge(order.order_id, order.customer_id, order.amount)
    except Declined as declined:
        publish(
            PaymentDeclined(
                order_id=order.order_id,
                customer_id=order.customer_id,
                amount=order.amount,
                reason=str(declined),
            )
        )
        return
    publish(_taken(order, payment_id))


def _taken(order: OrderPlaced, payment_id: str | None) -> PaymentTaken:
    return PaymentTaken(
        order_id=order.order_id,
        amount=order.amount,
        payment_id=payment_id,
        customer_id=order.customer_id,
        items=order.items,
    )
