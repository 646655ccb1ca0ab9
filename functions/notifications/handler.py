"""Mails the customer when an order is placed, and when its payment is declined or refunded."""

import os

from contracts.orders import OrderPlaced
from contracts.payments import PaymentDeclined, PaymentRefunded
from patchbay.messaging import client_without_retries, consumer

ses = client_without_retries("sesv2")


@consumer
def handler(event: OrderPlaced | PaymentDeclined | PaymentRefunded) -> None:
    match event:
        case OrderPlaced():
            subject = "Order placed"
            text = f"Thank you for order {event.order_id}, at ${event.amount}."
        case PaymentDeclined():
            subject = "Payment declined"
            text = f"We could not charge you for order {event.order_id}: {event.reason}."
        case PaymentRefunded():
            subject = "Payment refunded"
            text = (
                f"We can't send order {event.order_id}: {event.reason}. "
                f"We have given you back ${event.amount}."
            )
    ses.send_email(
        FromEmailAddress=os.environ["MAIL_FROM"],
        Destination={"ToAddresses": [os.environ["MAIL_TO"].format(customer=event.customer_id)]},
        Content={"Simple": {"Subject": {"Data": subject}, "Body": {"Text": {"Data": text}}}},
    )
