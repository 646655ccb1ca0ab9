"""The orders service."""

from contracts.fulfilment import OrderShipped, OrderUnfulfillable
from contracts.orders import OrderPlaced
from contracts.payments import PaymentDeclined, PaymentRefunded, PaymentTaken
from patchbay.constructs import Service


class Orders(Service):
    """Takes orders over HTTP, publishes them, and keeps their status."""

    def compose(self) -> None:
        orders = self.table("orders", key="order_id", stream=True)
        orders_table = {"ORDERS_TABLE": orders.table_name}

        api = self.function("api", environment=orders_table)
        orders.grant(api.function, "dynamodb:PutItem", "dynamodb:GetItem")
        self.http_api({"POST /orders": api, "GET /orders/{order_id}": api})

        outbox = self.function("outbox", environment=orders_table, publishes=[OrderPlaced])
        self.outbox(orders, outbox)

        status = self.consumer(
            part="status",
            on=[PaymentTaken, PaymentDeclined, PaymentRefunded, OrderShipped, OrderUnfulfillable],
            environment=orders_table,
            naturally_idempotent=True,
        )
        orders.grant(status.function, "dynamodb:UpdateItem", "dynamodb:GetItem")
