"""Publishing: puts events on the bus, or raises an error that names the failed ones."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from patchbay.chunks import chunks
from patchbay.events.event import Envelope, Event, Metadata
from patchbay.messaging import claim_check
from patchbay.messaging.backoff import full_jitter
from patchbay.messaging.cause import current_cause
from patchbay.messaging.errors import EventTooLarge, PublishFailed

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import (
        PutEventsRequestEntryTypeDef,
        PutEventsResultEntryTypeDef,
    )

MAX_ENTRIES = 10  # in a request: PutEvents' own limit
MAX_REQUEST_BYTES = 1024 * 1024  # of a request's entries together: PutEvents' own limit
# SQS's limit is 1 MiB too, but EventBridge delivers an entry in an envelope: account, region, time,
# id, source and type. An entry that leaves no room for it would never be delivered.
ENVELOPE_BYTES = 1024
MAX_EVENT_BYTES = MAX_REQUEST_BYTES - ENVELOPE_BYTES

ATTEMPTS = 5
BACKOFF_BASE = 0.1  # seconds: a handler waits here, and its message is in flight
BACKOFF_CAP = 2.0  # seconds

# EventBridge's own failures, and throttling. A retry does not help with any other code, such as a
# missing permission.
_TRANSIENT = {"InternalFailure", "InternalException", "ThrottlingException", "ServiceUnavailable"}


@dataclass(frozen=True)
class Outgoing:
    """An event in its envelope, ready for PutEvents."""

    event_id: str
    source: str
    detail_type: str
    detail: str
    deposit: claim_check.Deposit | None = None
    """Data that is too large for the bus, to be written to S3 before the event is published."""

    @property
    def size(self) -> int:
        """The entry's size in bytes as EventBridge counts it: source, detail-type and detail."""
        return sum(len(part.encode()) for part in (self.source, self.detail_type, self.detail))

    def __str__(self) -> str:
        return f"{self.detail_type} {self.event_id}"


def publish(*events: Event) -> None:
    """Put events on the bus, in as few requests as PutEvents' limits allow.

    The data of an event that is too large for the bus goes to S3, and its consumers read it from
    there. Entries that EventBridge throttles are sent again, with backoff. Raises EventTooLarge
    before anything is sent, and PublishFailed with the names of all events that were not published.
    """
    send([prepare(event) for event in events])


def prepare(event: Event) -> Outgoing:
    """Put the event into its envelope, with the current cause; raises EventTooLarge."""
    return enveloped(event, current_cause().metadata_for(event))


def enveloped(event: Event, metadata: Metadata) -> Outgoing:
    """Put the event into that envelope; raises EventTooLarge."""
    prepared = Outgoing(
        event_id=str(metadata.id),
        source=event.source(),
        detail_type=event.detail_type(),
        detail=Envelope(metadata=metadata, data=event).model_dump_json(),
    )
    return prepared if prepared.size <= MAX_EVENT_BYTES else _with_claim(prepared)


def _with_claim(event: Outgoing) -> Outgoing:
    """Return the event with a claim instead of its data; raises EventTooLarge."""
    detail, deposit = claim_check.checked(event.source, event.detail_type, event.detail)
    reduced = replace(event, detail=detail, deposit=deposit)
    if len(deposit.body) > claim_check.MAX_DATA_BYTES or reduced.size > MAX_EVENT_BYTES:
        raise EventTooLarge(
            f"{event} has {len(deposit.body):,} bytes of data; consumers read "
            f"{claim_check.MAX_DATA_BYTES:,} at most. Store the data yourself, and "
            "publish its address."
        )
    return reduced


@dataclass(frozen=True)
class Bus:
    """A bus, and the function that writes data that is too large for it to S3."""

    name: str
    client: "EventBridgeClient"
    deposit: Callable[[claim_check.Deposit], None]


def send(events: Sequence[Outgoing], to: Bus | None = None) -> None:
    """Put prepared events on a bus, by default the function's own; raises PublishFailed."""
    requests = list(packed(events))
    for number, request in enumerate(requests):
        try:
            _put(request, to or _own_bus())
        except _Refused as refused:
            unsent = [event for later in requests[number + 1 :] for event in later]
            raise _publish_failed(refused, unsent, len(events)) from refused.__cause__


def packed(events: Sequence[Outgoing]) -> Iterator[list[Outgoing]]:
    """Return the events in their order, in requests within PutEvents' limits."""
    return chunks(events, MAX_ENTRIES, size=lambda event: event.size, max_size=MAX_REQUEST_BYTES)


class _Refused(Exception):
    def __init__(self, events: Sequence[Outgoing], reasons: Sequence[str]) -> None:
        super().__init__()
        self.events = events
        self.reasons = reasons


def _put(request: Sequence[Outgoing], bus: Bus) -> None:
    """Send one request, with retries; raises _Refused with the events that are not on the bus."""
    from botocore.exceptions import BotoCoreError, ClientError

    waiting = list(request)
    try:
        for event in waiting:
            if event.deposit:
                bus.deposit(event.deposit)
    except (BotoCoreError, ClientError) as error:
        raise _Refused(
            waiting, [f"the data of {event} could not be written to S3: {error}"]
        ) from error
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = bus.client.put_events(Entries=[_entry(event, bus) for event in waiting])
        except (BotoCoreError, ClientError) as error:
            raise _Refused(waiting, [str(error)]) from error
        refused = [
            (event, result)
            for event, result in zip(waiting, answer["Entries"], strict=True)
            if "ErrorCode" in result
        ]
        if not refused:
            return
        waiting = [event for event, _ in refused]
        results = [result for _, result in refused]
        permanent = any(result["ErrorCode"] not in _TRANSIENT for result in results)
        if permanent or attempt == ATTEMPTS:
            raise _Refused(waiting, sorted({_reason(result) for result in results}))
        time.sleep(full_jitter(attempt, base=BACKOFF_BASE, cap=BACKOFF_CAP))


def _entry(event: Outgoing, bus: Bus) -> "PutEventsRequestEntryTypeDef":
    return {
        "EventBusName": bus.name,
        "Source": event.source,
        "DetailType": event.detail_type,
        "Detail": event.detail,
    }


def _reason(result: "PutEventsResultEntryTypeDef") -> str:
    code, message = result["ErrorCode"], result.get("ErrorMessage", "")
    return f"{code}: {message}" if message else code


def _publish_failed(refused: _Refused, unsent: list[Outgoing], total: int) -> PublishFailed:
    names = ", ".join(str(event) for event in [*refused.events, *unsent])
    count = len(refused.events) + len(unsent)
    later = f", {len(unsent)} of them not sent after that" if unsent else ""
    return PublishFailed(
        f"{count} of {total} events were not published "
        f"({'; '.join(refused.reasons)}){later}: {names}"
    )


def _own_bus() -> Bus:
    return Bus(os.environ["EVENT_BUS_NAME"], _client(), claim_check.deposit)


@cache
def _client() -> "EventBridgeClient":
    # Imported here: a function that never publishes does not pay for loading it.
    import boto3

    return boto3.client("events")
