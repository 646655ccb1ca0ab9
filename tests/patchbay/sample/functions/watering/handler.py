"""Starts the watering of a bed for an alert."""

from contracts.alerts import AlertRaised
from patchbay.messaging import consumer, naturally_idempotent, start_workflow


@consumer
@naturally_idempotent
def handler(alert: AlertRaised) -> None:
    start_workflow(alert)
