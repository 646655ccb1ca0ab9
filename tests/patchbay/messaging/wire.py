"""Messages with events, and the context that Lambda passes to a handler."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from aws_lambda_powertools.utilities.typing import LambdaContext

from patchbay.events.event import Envelope, Event, Metadata

Message = Event | dict[str, Any] | str


@dataclass(frozen=True)
class OnTheBus:
    """An event as EventBridge delivered it."""

    source: str
    detail_type: str
    metadata: Metadata
    data: dict[str, Any]

    @classmethod
    def read(cls, body: str) -> "OnTheBus":
        delivered = json.loads(body)
        detail = delivered["detail"]
        return cls(
            source=delivered["source"],
            detail_type=delivered["detail-type"],
            metadata=Metadata.model_validate(detail["metadata"]),
            data=detail["data"],
        )


def on_the_wire(
    event: Event,
    *,
    id: UUID | None = None,
    correlation_id: str = "a-journey",
    version: int | None = None,
    published_at: datetime | None = None,
) -> dict[str, Any]:
    """Return the message that EventBridge delivers for an event.

    Each call makes another event, unless an id is given.
    """
    metadata = Metadata(
        id=id or uuid4(),
        version=event.version if version is None else version,
        correlation_id=correlation_id,
        published_at=published_at or datetime.now(UTC),
    )
    envelope = Envelope(metadata=metadata, data=event)
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": event.detail_type(),
        "source": event.source(),
        "account": "123456789012",
        "time": metadata.published_at.isoformat(),
        "region": "us-east-1",
        "resources": [],
        "detail": envelope.model_dump(mode="json"),
    }


def body_of(message: Message) -> str:
    """The body of its SQS message."""
    match message:
        case str():
            return message
        case Event():
            return json.dumps(on_the_wire(message))
        case _:
            return json.dumps(message)


class Context(LambdaContext):
    """A Lambda function with time to spare."""

    SECONDS = 30

    def __init__(self) -> None:
        self._function_name = "function-under-test"
        self._memory_limit_in_mb = 256
        self._aws_request_id = str(uuid4())
        self._invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:under-test"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return Context.SECONDS * 1000
