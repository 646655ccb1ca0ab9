"""The events of the service probes."""

from datetime import datetime

from patchbay.events import Event


class ReadingTaken(Event):
    """A probe took a reading."""

    sensor_id: str
    celsius: float
    taken_at: datetime
