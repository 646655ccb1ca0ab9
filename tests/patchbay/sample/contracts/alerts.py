"""The events of the alerts service."""

from contracts.measures import Celsius, SensorId
from patchbay.events import Event


class AlertRaised(Event):
    """A bed is too hot."""

    sensor_id: SensorId
    celsius: Celsius


class AlertCleared(Event):
    """An alert no longer matters."""

    sensor_id: SensorId
    reason: str
