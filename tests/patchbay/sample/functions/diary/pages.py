"""Writes the alerts of each bed, in the order in which they were published."""

from contracts.alerts import AlertCleared, AlertRaised
from functions.diary.book import write
from patchbay.messaging import consumer, naturally_idempotent


@consumer
@naturally_idempotent
def handler(event: AlertRaised | AlertCleared) -> None:
    write(event.sensor_id, event.detail_type())
