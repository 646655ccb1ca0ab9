"""Keeps an order's status in step with its payment."""

from contracts.payments import PaymentDeclined, PaymentTaken
from functions.messaging.consumer import consumer
from functions.messaging.errors import Reject
from functions.orders import store


@consumer
def handler(outcome: PaymentTaken | PaymentDeclined) -> None:
    try:
        match outcome:
            case PaymentTaken():
                store.settle(outcome.order_id, "paid")
            case PaymentDeclined():
                store.settle(outcome.order_id, "declined", outcome.reason)
    except store.NoSuchOrder as error:
        raise Reject(f"there is no order {outcome.order_id}") from error
