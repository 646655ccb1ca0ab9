"""The values that events are made of."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, PlainSerializer, StringConstraints, WithJsonSchema

SensorId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]

# A JSON number on the bus, since EventBridge's numeric filters match nothing else.
Celsius = Annotated[
    Decimal,
    Field(ge=-90, le=90, decimal_places=1),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": -90, "maximum": 90}),
]
