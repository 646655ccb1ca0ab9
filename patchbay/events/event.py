"""What every event is: a frozen model whose class and module name its place on the bus."""

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
    """A fact that a service publishes.

    The class name is the event's detail-type, its module the source: `ReadingTaken` in
    `contracts/sensors.py` is `ReadingTaken` from `greenhouse.sensors`, where `greenhouse` is the
    project's namespace. Readers ignore fields that they do not know, so that a publisher may add
    optional ones at any time.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: ClassVar[int] = 1
    """Raised by one when a change would break a reader; see `patchbay.events.compatibility`."""

    @classmethod
    def detail_type(cls) -> str:
        return cls.__name__

    @classmethod
    def source(cls) -> str:
        return f"{namespace()}.{cls.__module__.rpartition('.')[2]}"


def namespace() -> str:
    """Return what the sources of the project's events begin with.

    A function has it in its environment; anywhere else, the project's pyproject.toml says it.
    """
    if given := os.environ.get(NAMESPACE_VARIABLE):
        return given
    # By its name, so that no function's asset holds what reads a pyproject.toml.
    described = import_module("patchbay.project.project")
    return str(described.project().namespace)


class Metadata(BaseModel):
    """The envelope's own part: which event this is, and which journey it belongs to."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: UUID
    version: int = Field(ge=1)
    correlation_id: CorrelationId
    causation_id: UUID | None = None
    published_at: AwareDatetime
    # Where it is there, `data` holds small fields only, and the claim all of them.
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
    """An event of which nothing is known but its envelope: for a consumer of all events.

    The data of a claim is not fetched: `data` is then as much of it as is on the bus.
    """

    metadata: Metadata
    from_source: str
    of_type: str
    data: dict[str, Any]
