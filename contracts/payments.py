"""The events of the service payments."""

from pydantic import PositiveInt

from contracts.values import CustomerId, Dollars, OrderId, PaymentId
from patchbay.events import Event


class PaymentTaken(Event):
    """An order is paid."""

    order_id: OrderId
    amount: Dollars
    payment_id: PaymentId | None = None
    """None where there was nothing to charge."""

    customer_id: CustomerId | None = None
    """None in events from before this field was added."""

    items: PositiveInt | None = None
    """None in events from before this field was added."""


class PaymentDeclined(Event):
    """The payment provider refused to charge the customer; the order stays unpaid."""

    order_id: OrderId
    customer_id: CustomerId
    amount: Dollars
    reason: str


class PaymentRefunded(Event):
    """The payment for an order that can't be fulfilled was refunded."""

    order_id: OrderId
    customer_id: CustomerId
    amount: Dollars
    payment_id: PaymentId | None = None
    """None where nothing was charged."""

    reason: str
