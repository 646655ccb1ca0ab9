"""The table of readings."""

import os
from typing import Any
from uuid import uuid4

import boto3
from pydantic import BaseModel, Field

from contracts.measures import Celsius, SensorId
from contracts.sensors import ReadingTaken

_table = boto3.resource("dynamodb").Table(os.environ["READINGS_TABLE"])


class NewReading(BaseModel):
    """The body of POST /readings."""

    sensor_id: SensorId
    celsius: Celsius
    taken_at: str


class Reading(NewReading):
    """A reading as its table holds it."""

    reading_id: str = Field(default_factory=lambda: str(uuid4()))

    def taken(self) -> ReadingTaken:
        """Return the event that announces this reading."""
        return ReadingTaken.model_validate(self.model_dump())


def add(reading: Reading) -> None:
    """Write a reading."""
    _table.put_item(Item=reading.model_dump())


def get(reading_id: str) -> Reading | None:
    """Read a reading; None where there is none of that id."""
    item: dict[str, Any] | None = _table.get_item(Key={"reading_id": reading_id}).get("Item")
    return Reading.model_validate(item) if item else None
