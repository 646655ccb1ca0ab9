"""The events of the service bestsellers."""

from pydantic import PositiveInt

from contracts.values import RecordId
from patchbay.events import Event


class BestsellerChanged(Event):
    """Another record is in first place."""

    record_id: RecordId
    previous: RecordId | None = None
    """None for the first record that is ever in first place."""

    score: PositiveInt
