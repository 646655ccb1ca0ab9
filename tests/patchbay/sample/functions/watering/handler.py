"""Starts the watering of a bed for an alert."""

from contracts.alerts import AlertRaised
from patchbay.messaging.consuming import consumer
from patchbay.messaging.idempotency import naturally_idempotent
from patchbay.messaging.workflow import start_workflow


@consumer
@naturally_idempotent
def handler(alert: AlertRaised) -> None:
    start_workflow(alert)
