"""The types of the events' fields, with their limits."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, PlainSerializer, StringConstraints, WithJsonSchema

OrderId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
CustomerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
RecordId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
PaymentId = Annotated[str, StringConstraints(min_length=1, max_length=128)]

# A JSON number on the bus: EventBridge's numeric filters match nothing else.
Dollars = Annotated[
    Decimal,
    Field(ge=0, max_digits=12, decimal_places=2),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 0, "multipleOf": 0.01}),
]
