"""What the service sirens tells the others."""

from patchbay.events import Event


class AlertRaised(Event):
    """It is too hot, or too cold."""

    reason: str
