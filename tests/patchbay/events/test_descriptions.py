from typing import ClassVar

from pydantic import BaseModel, create_model

from contracts.sensors import ReadingTaken
from patchbay.events.compatibility import schema_of
from patchbay.events.descriptions import descriptions
from patchbay.events.event import Event


class Sack(BaseModel):
    """A sack of soil."""

    weight: int
    """In grams,
    with the sack itself."""

    note: str | None = None
    size: ClassVar[int] = 3
    """This is no field."""


class Label(Sack):
    colours: int
    """How many."""


def test_the_docstring_below_a_field_is_its_description() -> None:
    assert descriptions(Sack) == {"weight": "In grams,\nwith the sack itself."}


def test_a_field_that_is_inherited_keeps_its_description() -> None:
    assert descriptions(Label).keys() == {"weight", "colours"}


def test_a_class_that_is_not_in_a_file_has_no_descriptions() -> None:
    assert descriptions(create_model("Unwritten", __base__=Event, to=(str, ...))) == {}


def test_the_schema_on_file_has_the_descriptions() -> None:
    celsius = schema_of(ReadingTaken)["properties"]["celsius"]
    assert celsius["description"] == "In the air, one metre above the bed."
