"""The events of the watering service."""

from pydantic import PositiveInt

from contracts.measures import SensorId
from patchbay.events import Event


class BedWatered(Event):
    """A bed was watered."""

    sensor_id: SensorId
    litres: PositiveInt


class BedNotWatered(Event):
    """A bed could not be watered."""

    sensor_id: SensorId
    reason: str
