"""The events of the service accounts."""

from datetime import date

from pydantic import NonNegativeInt

from contracts.values import Dollars
from patchbay.events import Event


class DayClosed(Event):
    """What was booked on a day, which is booked on no more."""

    day: date
    payments: NonNegativeInt
    taken: Dollars
    refunded: Dollars
    gifts: NonNegativeInt
    """Orders that cost nothing."""
