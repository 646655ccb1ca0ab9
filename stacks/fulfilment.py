"""The fulfilment service."""

from contracts.fulfilment import OrderShipped, OrderUnfulfillable
from contracts.payments import PaymentTaken
from patchbay.constructs import Service, Setting


class Fulfilment(Service):
    """Reserves stock for a paid order and ships it, or releases the stock and gives the reason."""

    warehouse_holds = Setting(
        "The number of records in a full warehouse.",
        kind=int, local=80, dev=1_000, prod=100_000,
    )  # fmt: skip

    def compose(self) -> None:
        stock = self.table("fulfilment-stock", key="warehouse")
        parcels = self.table("fulfilment-parcels", key="order_id")

        shipping = self.function("shipping", environment={"PARCELS_TABLE": parcels.table_name})
        parcels.grant(shipping.function, "dynamodb:UpdateItem")

        saga = self.workflow(
            on=[PaymentTaken],
            publishes=[OrderShipped, OrderUnfulfillable],
            invokes={"ShippingFunction": shipping},
            substitutions={
                "ParcelsTable": parcels.table_name,
                "StockTable": stock.table_name,
                "WarehouseHolds": str(self.warehouse_holds),
            },
        )
        parcels.grant(saga.machine, "dynamodb:PutItem", "dynamodb:UpdateItem")
        stock.grant(saga.machine, "dynamodb:UpdateItem")
