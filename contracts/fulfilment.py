"""The events of the service fulfilment."""

from pydantic import PositiveInt

from contracts.values import CustomerId, Dollars, OrderId, PaymentId
from patchbay.events import Event


class OrderShipped(Event):
    """A paid order is on its way to the customer."""

    order_id: OrderId
    customer_id: CustomerId
    items: PositiveInt
    warehouse: str
    tracking: str


class OrderUnfulfillable(Event):
    """A paid order can't be shipped: the payment has to be refunded."""

    order_id: OrderId
    customer_id: CustomerId
    amount: Dollars
    payment_id: PaymentId | None = None
    """None where there was nothing to charge."""

    reason: str
