"""The events of the sensors service."""

from pydantic import AwareDatetime

from contracts.measures import Celsius, SensorId
from patchbay.events import Event


class ReadingTaken(Event):
    """A sensor measured the temperature of its bed."""

    sensor_id: SensorId
    celsius: Celsius
    """In the air, one metre above the bed."""
    taken_at: AwareDatetime
