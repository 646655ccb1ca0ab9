"""Fields of an event in words."""

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, Field

from patchbay.operations.catalogue.schema_fields import fields_of

SensorId = Annotated[str, Field(pattern="^[A-Za-z0-9-]{1,64}$")]
Dollars = Annotated[float, Field(ge=0, multiple_of=0.01)]


class Address(BaseModel):
    city: str


class Label(BaseModel):
    id: UUID
    sensor_id: SensorId
    price: Dollars
    weight: Decimal = Decimal(1)
    sent_at: AwareDatetime | None = None
    kind: Literal["crate", "box"]
    to: Address
    notes: list[Annotated[str, Field(max_length=9)]] = Field(max_length=3)
    anything: object = Field(description="What you like.")


FIELDS = {field.name: field for field in fields_of(Label.model_json_schema())}


@pytest.mark.parametrize(
    ("name", "kind", "limits"),
    [
        ("id", "uuid", ""),
        ("sensor_id", "string", "like ^[A-Za-z0-9-]{1,64}$"),
        ("price", "number", "at least 0, in steps of 0.01"),
        ("sent_at", "date-time or null", ""),
        ("kind", "string", '"crate" or "box"'),
        ("to", "object", ""),
        ("notes", "array of string", "each at most 9 characters, at most 3 of them"),
        ("anything", "anything", ""),
    ],
)
def test_a_field_has_its_type_and_its_limits(name: str, kind: str, limits: str) -> None:
    assert (FIELDS[name].type, FIELDS[name].limits) == (kind, limits)


def test_a_field_with_a_default_is_not_required() -> None:
    assert {name for name, field in FIELDS.items() if not field.required} == {"weight", "sent_at"}


def test_a_field_has_its_description() -> None:
    assert FIELDS["anything"].description == "What you like."
