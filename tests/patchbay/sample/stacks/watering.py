"""The watering service."""

from contracts.alerts import AlertRaised
from contracts.watering import BedNotWatered, BedWatered
from patchbay.constructs import Service


class Watering(Service):
    """Waters a bed for each alert, or says why it can't."""

    def compose(self) -> None:
        tanks = self.table("watering-tanks", key="sensor_id")
        valve = self.function("valve", environment={"TANKS_TABLE": tanks.table_name})
        tanks.grant(valve.function, "dynamodb:PutItem")
        workflow = self.workflow(
            on=[AlertRaised],
            publishes=[BedWatered, BedNotWatered],
            invokes={"ValveFunction": valve},
            substitutions={"TanksTable": tanks.table_name, "Litres": "5"},
        )
        tanks.grant(workflow.machine, "dynamodb:UpdateItem")
