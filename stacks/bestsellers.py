"""The bestsellers service."""

from contracts.bestsellers import BestsellerChanged
from patchbay.constructs import Service


class Bestsellers(Service):
    """Counts what visitors look at and buy, and keeps a chart of it."""

    def compose(self) -> None:
        table = self.table("bestsellers", key="id", expires="expires")
        holds_chart = {"BESTSELLERS_TABLE": table.table_name}

        counter = self.stream_consumer(
            of="storefront",
            publishes=[BestsellerChanged],
            environment=holds_chart,
            batch_size=90,  # what the table takes in one transaction, with some room
        )
        table.grant(
            counter.function, "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem",
            "dynamodb:UpdateItem",
        )  # fmt: skip

        api = self.function("api", environment=holds_chart)
        table.grant(api.function, "dynamodb:GetItem")
        self.http_api({"GET /bestsellers": api})
