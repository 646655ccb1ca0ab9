from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import pytest
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from contracts.payments import PaymentTaken
from patchbay.events.catalogue import events
from patchbay.events.event import Event
from patchbay.events.examples import NoExample, example


class Address(BaseModel):
    city: str


class Parcel(BaseModel):
    parcel_id: str
    sent_at: AwareDatetime
    due: date
    price: Decimal
    pieces: int
    kind: Literal["letter", "box"]
    to: Address
    notes: list[str]


class Strict(BaseModel):
    code: Annotated[str, StringConstraints(pattern=r"^ZZ[0-9]{9}$")]


class Helped(BaseModel):
    code: Annotated[str, Field(examples=["ZZ123456789"]), StringConstraints(pattern=r"^ZZ\d{9}$")]


@pytest.mark.parametrize("event", events().values())
def test_every_event_has_an_example_that_holds(event: type[Event]) -> None:
    event.model_validate(example(event))
    assert event.model_validate(example(event, complete=True))


def test_the_values_are_made_of_the_names_where_they_may_be_anything() -> None:
    made = example(Parcel)
    assert Parcel.model_validate(made).to.city == "city-1"
    assert made["parcel_id"] == "parcel-1"
    assert made["kind"] == "letter"


def test_what_is_optional_is_there_when_all_is_asked_for() -> None:
    assert "payment_id" not in example(PaymentTaken)
    assert example(PaymentTaken, complete=True)["payment_id"] == "payment-1"


def test_an_example_that_the_contract_gives_is_taken() -> None:
    assert example(Helped) == {"code": "ZZ123456789"}


def test_a_field_for_which_nothing_comes_to_mind_is_named() -> None:
    with pytest.raises(NoExample, match=r"for Strict\.code\. Give the field one"):
        example(Strict)
