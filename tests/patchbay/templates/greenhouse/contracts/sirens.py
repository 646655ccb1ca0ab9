"""The events of the service sirens."""

from patchbay.events import Event


class AlertRaised(Event):
    """It is too hot, or too cold."""

    reason: str
