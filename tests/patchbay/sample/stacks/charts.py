"""The charts service."""

from contracts.charts import HottestBedChanged
from patchbay.constructs import Service


class Charts(Service):
    """Counts the measurements of each bed, and says which bed is the hottest."""

    def compose(self) -> None:
        table = self.table("charts", key="id", expires="expires")
        counter = self.stream_consumer(
            of="climate",
            publishes=[HottestBedChanged],
            environment={"CHARTS_TABLE": table.table_name},
            batch_size=90,
        )
        table.grant(counter.function, "dynamodb:GetItem", "dynamodb:PutItem")
