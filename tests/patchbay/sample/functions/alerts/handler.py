"""Raises an alert for a reading that is too high."""

from contracts.alerts import AlertRaised
from contracts.sensors import ReadingTaken
from patchbay.messaging import Reject, consumer, publish

TOO_HOT = 35  # °C
IMPOSSIBLE = 80  # °C: the sensor is broken


@consumer
def handler(reading: ReadingTaken) -> None:
    if reading.celsius > IMPOSSIBLE:
        raise Reject(f"sensor {reading.sensor_id} is broken: it measured {reading.celsius} °C")
    if reading.celsius > TOO_HOT:
        publish(AlertRaised(sensor_id=reading.sensor_id, celsius=reading.celsius))
