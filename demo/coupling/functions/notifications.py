"""The step that mails the customer: the order is placed, or its payment is declined."""

import os

import boto3

from contracts.orders import OrderPlaced
from demo.coupling.functions.step import Answer, step
from patchbay.messaging.telemetry import logger

_ses = boto3.client("sesv2")


@step
def handler(event: Answer) -> Answer:
    order = OrderPlaced.model_validate(event)
    if reason := event.get("declined"):
        subject = "Payment declined"
        text = f"We could not charge you for order {order.order_id}: {reason}."
    else:
        subject = "Order placed"
        text = f"Thank you for order {order.order_id}, at ${order.amount}."
    _ses.send_email(
        FromEmailAddress=os.environ["MAIL_FROM"],
        Destination={"ToAddresses": [os.environ["MAIL_TO"].format(customer=order.customer_id)]},
        Content={"Simple": {"Subject": {"Data": subject}, "Body": {"Text": {"Data": text}}}},
    )
    logger().info("mailed", correlation_id=order.order_id)
    return {}
