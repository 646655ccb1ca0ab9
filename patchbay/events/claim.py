"""A claim: the reference to an event's data in S3, for data that is too large for the bus."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# The archive keeps an event for 90 days. An event that is replayed on the last day may be a dead
# letter for 14 days, be redriven, wait in the queue for 4 days, and be a dead letter again.
KEPT_FOR = timedelta(days=90 + 14 + 4 + 14)


class Claim(BaseModel):
    """The key, hash and size of an event's data in the bucket of claims."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: int = Field(ge=0)  # bytes


def folder(source: str, detail_type: str) -> str:
    """Return the prefix of the keys of these events' data; permissions are granted for it."""
    return f"{source}/{detail_type}/"
