"""Notes each order that costs nothing: its rule lets no other through."""

from contracts.orders import OrderPlaced
from functions.accounts.books import Line, note
from functions.messaging.consumer import consumer


@consumer
def handler(order: OrderPlaced) -> None:
    note(Line("gift", order.order_id, order.customer_id, order.amount))
