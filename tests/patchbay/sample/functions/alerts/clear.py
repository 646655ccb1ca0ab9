"""Clears the alert of a bed that can't be watered."""

from contracts.alerts import AlertCleared
from contracts.watering import BedNotWatered
from patchbay.messaging import consumer, publish


@consumer
def handler(event: BedNotWatered) -> None:
    publish(AlertCleared(sensor_id=event.sensor_id, reason=event.reason))
