"""The records that the storefront puts on its stream. They are not published on the bus."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from contracts.values import CustomerId, RecordId


class Interaction(BaseModel):
    """A visitor looked at a record, or bought it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    record_id: RecordId
    kind: Literal["view", "purchase"]
    customer_id: CustomerId | None = None  # none where nobody is signed in
    at: AwareDatetime
