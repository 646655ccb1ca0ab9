"""What stands on the bus for data that is too large for it, and where that data is kept."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# The archive keeps an event for 90 days. One that is replayed on the last of them may be among the
# dead letters for 14 days, and once redriven wait 4 days in the queue, and be a dead letter again.
KEPT_FOR = timedelta(days=90 + 14 + 4 + 14)


class Claim(BaseModel):
    """With what an event's data is claimed from the bucket of claims."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: int = Field(ge=0)  # bytes


def folder(source: str, detail_type: str) -> str:
    """What the key of each such event's data begins with, and rights are given for."""
    return f"{source}/{detail_type}/"
