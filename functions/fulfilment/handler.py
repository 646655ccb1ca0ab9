"""Starts the fulfilment of an order when it is paid."""

from contracts.payments import PaymentTaken
from patchbay.messaging import Reject, consumer, naturally_idempotent, start_workflow


@consumer
@naturally_idempotent
def handler(payment: PaymentTaken) -> None:
    if payment.customer_id is None or payment.items is None:
        raise Reject(
            f"the payment of order {payment.order_id} does not say what to send to whom: it was "
            "published before PaymentTaken had customer_id and items"
        )
    start_workflow(payment)
