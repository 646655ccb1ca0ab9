"""The base of all events, and their envelope."""

import os
from datetime import UTC, datetime
from importlib import import_module
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SerializeAsAny

from patchbay.events.claim import Claim

NAMESPACE_VARIABLE = "PATCHBAY_NAMESPACE"

CorrelationId = Annotated[str, Field(min_length=1, max_length=128)]


class Event(BaseModel):
    """The base class of events: facts that services publish.

    The class name is the event's detail-type, its module the source: `ReadingTaken` in
    `contracts/sensors.py` is `ReadingTaken` from `greenhouse.sensors`, where `greenhouse` is the
    project's namespace. Consumers ignore fields that they do not know, so that a publisher may add
    optional ones at any time.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: ClassVar[int] = 1
    """Raise it when a change would break a consumer; see `patchbay.events.compatibility`."""

    @classmethod
    def detail_type(cls) -> str:
        return cls.__name__

    @classmethod
    def source(cls) -> str:
        return f"{namespace()}.{cls.__module__.rpartition('.')[2]}"


def namespace() -> str:
    """Return the namespace: the prefix of the sources of the project's events.

    In Lambda, it comes from the environment; elsewhere, from the project's pyproject.toml.
    """
    if given := os.environ.get(NAMESPACE_VARIABLE):
        return given
    # Imported by name, so that no function's asset contains the module.
    module = import_module("patchbay.project.project")
    return str(module.project().namespace)


class Metadata(BaseModel):
    """The metadata of an event: its id, its version, and the journey that it belongs to."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: UUID
    version: int = Field(ge=1)
    correlation_id: CorrelationId
    causation_id: UUID | None = None
    published_at: AwareDatetime
    # If this is set, `data` has only the small fields, and the claimed object has all of them.
    claim: Claim | None = Field(default=None, exclude_if=lambda claim: claim is None)

    @classmethod
    def now(cls, **fields: Any) -> Self:
        return cls(published_at=datetime.now(UTC), **fields)


class Envelope(BaseModel):
    """The `detail` of an event on the bus."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    metadata: Metadata
    data: SerializeAsAny[Event]


class AnyEvent(Event):
    """An event of any type, for a consumer of all events.

    The data of a claim is not fetched: `data` then has the small fields only.
    """

    metadata: Metadata
    from_source: str
    of_type: str
    data: dict[str, Any]
