"""The events of the service accounts."""

from datetime import date

from pydantic import NonNegativeInt

from contracts.values import Dollars
from patchbay.events import Event


class DayClosed(Event):
    """A day was closed: these are its totals, and nothing more is booked on it."""

    day: date
    payments: NonNegativeInt
    taken: Dollars
    refunded: Dollars
    gifts: NonNegativeInt
    """Orders that cost nothing."""
