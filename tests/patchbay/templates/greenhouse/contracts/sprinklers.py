"""The events of the service sprinklers."""

from decimal import Decimal

from pydantic import PositiveInt

from patchbay.events import Event


class BedWatered(Event):
    """A bed was watered."""

    bed_id: str
    litres: PositiveInt
    cost: Decimal
    """Of the water."""
    by_hand: bool
