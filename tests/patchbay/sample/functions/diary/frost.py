"""Notes frost."""

from contracts.sensors import ReadingTaken
from functions.diary.book import write
from patchbay.messaging import consumer, naturally_idempotent


@consumer
@naturally_idempotent
def handler(reading: ReadingTaken) -> None:
    write(f"frost/{reading.sensor_id}/{reading.taken_at.isoformat()}", f"{reading.celsius} °C")
