"""Events for the tests of messaging: crates picked in a greenhouse, and then sold or refused."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, PlainSerializer, PositiveInt, StringConstraints

from patchbay.events import Event

BedId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Kilos = Annotated[
    Decimal,
    Field(ge=0, max_digits=12, decimal_places=2),
    PlainSerializer(float, return_type=float, when_used="json"),
]


class BedPicked(Event):
    """A bed was picked."""

    bed_id: BedId
    picker_id: BedId
    crates: PositiveInt
    kilos: Kilos


class CratesSold(Event):
    """Picked crates were sold."""

    bed_id: BedId
    kilos: Kilos
    sale_id: str | None = None


class CratesRefused(Event):
    """Picked crates were refused."""

    bed_id: BedId
    picker_id: BedId
    kilos: Kilos
    reason: str
