from typing import ClassVar

from pydantic import BaseModel, create_model

from contracts.orders import OrderPlaced
from patchbay.events.compatibility import schema_of
from patchbay.events.descriptions import descriptions
from patchbay.events.event import Event


class Parcel(BaseModel):
    """A parcel."""

    weight: int
    """In grams,
    with what it is packed in."""

    note: str | None = None
    size: ClassVar[int] = 3
    """This is no field."""


class Letter(Parcel):
    stamps: int
    """How many."""


def test_the_text_below_a_field_describes_it() -> None:
    assert descriptions(Parcel) == {"weight": "In grams,\nwith what it is packed in."}


def test_a_field_that_is_inherited_keeps_its_description() -> None:
    assert descriptions(Letter).keys() == {"weight", "stamps"}


def test_what_is_not_in_a_file_has_no_descriptions() -> None:
    assert descriptions(create_model("Unwritten", __base__=Event, to=(str, ...))) == {}


def test_the_schema_on_file_has_the_descriptions() -> None:
    amount = schema_of(OrderPlaced)["properties"]["amount"]
    assert amount["description"] == "Zero is legal: the shop gives records away."
