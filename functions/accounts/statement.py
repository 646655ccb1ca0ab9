"""Books payments and refunds on their customers' accounts, in the order in which they were made."""

from contracts.payments import PaymentRefunded, PaymentTaken
from functions.accounts.books import Line, book
from patchbay.messaging import consumer, naturally_idempotent


@consumer
@naturally_idempotent
def handler(event: PaymentTaken | PaymentRefunded) -> None:
    match event:
        case PaymentTaken():
            book(Line("payment", event.order_id, event.customer_id, event.amount))
        case PaymentRefunded():
            book(Line("refund", event.order_id, event.customer_id, -event.amount))
