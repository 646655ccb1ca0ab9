"""The events of the diary service."""

from datetime import date

from pydantic import NonNegativeInt

from patchbay.events import Event


class DayClosed(Event):
    """A day is over."""

    day: date
    pages: NonNegativeInt
