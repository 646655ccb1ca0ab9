"""The events of the charts service."""

from contracts.measures import Celsius, SensorId
from patchbay.events import Event


class HottestBedChanged(Event):
    """Another bed is the hottest now."""

    sensor_id: SensorId
    celsius: Celsius
