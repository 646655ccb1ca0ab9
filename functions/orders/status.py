"""Updates an order's status when it is paid, shipped, declined or refunded."""

from contracts.fulfilment import OrderShipped, OrderUnfulfillable
from contracts.payments import PaymentDeclined, PaymentRefunded, PaymentTaken
from functions.orders import store
from patchbay.messaging import Reject, consumer, naturally_idempotent


@consumer
@naturally_idempotent
def handler(
    step: PaymentTaken | PaymentDeclined | PaymentRefunded | OrderShipped | OrderUnfulfillable,
) -> None:
    try:
        match step:
            case PaymentTaken():
                store.advance(step.order_id, "paid")
            case PaymentDeclined():
                store.advance(step.order_id, "declined", step.reason)
            case OrderShipped():
                store.advance(step.order_id, "shipped")
            case OrderUnfulfillable():
                store.advance(step.order_id, "unfulfillable", step.reason)
            case PaymentRefunded():
                store.advance(step.order_id, "refunded", step.reason)
    except store.NoSuchOrder as error:
        raise Reject(f"there is no order {step.order_id}") from error
