"""The events of the service orders."""

from pydantic import PositiveInt

from contracts.values import CustomerId, Dollars, OrderId
from patchbay.events import Event


class OrderPlaced(Event):
    """A customer placed an order."""

    order_id: OrderId
    customer_id: CustomerId
    items: PositiveInt
    amount: Dollars
    """Zero is legal: the shop gives records away."""
