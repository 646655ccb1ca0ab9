"""Books each order that costs nothing; its rule only delivers those."""

from contracts.orders import OrderPlaced
from functions.accounts.books import Line, note
from patchbay.messaging import consumer, naturally_idempotent


@consumer
@naturally_idempotent
def handler(order: OrderPlaced) -> None:
    note(Line("gift", order.order_id, order.customer_id, order.amount))
