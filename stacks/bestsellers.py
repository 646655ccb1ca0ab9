"""The bestsellers service."""

from contracts.bestsellers import BestsellerChanged
from patchbay.constructs import Service


class Bestsellers(Service):
    """Counts the views and purchases of records, and keeps the chart of the bestsellers."""

    def compose(self) -> None:
        table = self.table("bestsellers", key="id", expires="expires")
        chart = {"BESTSELLERS_TABLE": table.table_name}

        counter = self.stream_consumer(
            of="storefront",
            publishes=[BestsellerChanged],
            environment=chart,
            batch_size=90,  # below the limit of a transaction on the table
        )
        table.grant(
            counter.function, "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem",
            "dynamodb:UpdateItem",
        )  # fmt: skip

        api = self.function("api", environment=chart)
        table.grant(api.function, "dynamodb:GetItem")
        self.http_api({"GET /bestsellers": api})
