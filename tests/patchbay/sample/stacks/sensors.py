"""The sensors service."""

from contracts.alerts import AlertCleared, AlertRaised
from contracts.sensors import ReadingTaken
from contracts.watering import BedNotWatered, BedWatered
from patchbay.constructs import Service


class Sensors(Service):
    """Takes readings over HTTP, publishes them, and keeps the state of each bed."""

    def compose(self) -> None:
        readings = self.table("sensors", key="reading_id", stream=True)
        holds_readings = {"READINGS_TABLE": readings.table_name}

        api = self.function("api", environment=holds_readings)
        readings.grant(api.function, "dynamodb:PutItem", "dynamodb:GetItem")
        self.http_api({"POST /readings": api, "GET /readings/{reading_id}": api})

        outbox = self.function("outbox", environment=holds_readings, publishes=[ReadingTaken])
        self.outbox(readings, outbox)

        beds = self.table("sensors-beds", key="sensor_id")
        status = self.consumer(
            part="status",
            on=[AlertRaised, AlertCleared, BedWatered, BedNotWatered],
            environment={"BEDS_TABLE": beds.table_name},
            naturally_idempotent=True,
        )
        beds.grant(status.function, "dynamodb:UpdateItem", "dynamodb:GetItem")
