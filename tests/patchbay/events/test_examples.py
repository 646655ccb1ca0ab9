from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import pytest
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from patchbay.events.catalogue import events
from patchbay.events.examples import NoExample, example


class Address(BaseModel):
    city: str


class Sack(BaseModel):
    sack_id: str
    sent_at: AwareDatetime
    due: date
    price: Decimal
    pieces: int
    kind: Literal["soil", "bark"]
    to: Address
    notes: list[str]


class Optional(BaseModel):
    bed_id: str | None = None


class Strict(BaseModel):
    code: Annotated[str, StringConstraints(pattern=r"^ZZ[0-9]{9}$")]


class Helped(BaseModel):
    code: Annotated[str, Field(examples=["ZZ123456789"]), StringConstraints(pattern=r"^ZZ\d{9}$")]


def test_every_event_has_a_valid_example() -> None:
    for event in events().values():
        event.model_validate(example(event))
        assert event.model_validate(example(event, complete=True))


def test_unrestricted_values_are_derived_from_the_fields_names() -> None:
    made = example(Sack)
    assert Sack.model_validate(made).to.city == "city-1"
    assert made["sack_id"] == "sack-1"
    assert made["kind"] == "soil"


def test_optional_fields_are_in_a_complete_example() -> None:
    assert "bed_id" not in example(Optional)
    assert example(Optional, complete=True)["bed_id"] == "bed-1"


def test_an_example_in_the_contract_is_used() -> None:
    assert example(Helped) == {"code": "ZZ123456789"}


def test_a_field_without_a_valid_example_value_is_named() -> None:
    with pytest.raises(NoExample, match=r"for the field code of Strict\. Give the field one"):
        example(Strict)
