"""Puts events on the bus: all of them, or an error that names what did not get out."""

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
# A queue takes 1 MiB too, but what EventBridge delivers is the entry and its envelope: account,
# region, time, id and the names again. An entry that leaves it no room would never arrive.
ENVELOPE_BYTES = 1024
MAX_EVENT_BYTES = MAX_REQUEST_BYTES - ENVELOPE_BYTES

ATTEMPTS = 5
BACKOFF_BASE = 0.1  # seconds: a handler waits here, with its message in flight
BACKOFF_CAP = 2.0  # seconds

# What EventBridge answers when it was its own fault, or too much at once. Anything else, such as
# a missing permission, stays wrong however often it is repeated.
_TRANSIENT = {"InternalFailure", "InternalException", "ThrottlingException", "ServiceUnavailable"}


@dataclass(frozen=True)
class Outgoing:
    """An event in the form in which it goes on the bus."""

    event_id: str
    source: str
    detail_type: str
    detail: str
    deposit: claim_check.Deposit | None = None
    """What is too large for the bus, and has to be in S3 before the event is on it."""

    @property
    def size(self) -> int:
        """Bytes, as EventBridge counts them: the UTF-8 of source, detail-type and detail."""
        return sum(len(part.encode()) for part in (self.source, self.detail_type, self.detail))

    def __str__(self) -> str:
        return f"{self.detail_type} {self.event_id}"


def publish(*events: Event) -> None:
    """Put events on the bus, in as few requests as PutEvents' limits allow.

    The data of one that is too large for the bus goes to S3, and whoever consumes it gets it from
    there. What EventBridge refuses for the moment is tried again with backoff. Raises EventTooLarge
    before anything is sent, and PublishFailed, naming every event that did not get out.
    """
    send([prepare(event) for event in events])


def prepare(event: Event) -> Outgoing:
    """Put the event into its envelope, as one more that the cause at hand has brought about.

    Raises EventTooLarge.
    """
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
    """The event with its data apart from it; raises EventTooLarge."""
    detail, deposit = claim_check.checked(event.source, event.detail_type, event.detail)
    reduced = replace(event, detail=detail, deposit=deposit)
    if len(deposit.body) > claim_check.MAX_DATA_BYTES or reduced.size > MAX_EVENT_BYTES:
        raise EventTooLarge(
            f"{event} has {len(deposit.body):,} bytes of data; consumers read "
            f"{claim_check.MAX_DATA_BYTES:,} at most. Keep the data where it is, and publish where "
            "that is."
        )
    return reduced


@dataclass(frozen=True)
class Bus:
    """Where events go, and what is too large for it."""

    name: str
    client: "EventBridgeClient"
    deposit: Callable[[claim_check.Deposit], None]


def send(events: Sequence[Outgoing], to: Bus | None = None) -> None:
    """Put prepared events on the bus, whatever caused each of them; raises PublishFailed.

    That bus is the function's own, where none is given.
    """
    requests = list(packed(events))
    for number, request in enumerate(requests):
        try:
            _put(request, to or _own_bus())
        except _Refused as refused:
            unsent = [event for later in requests[number + 1 :] for event in later]
            raise _publish_failed(refused, unsent, len(events)) from refused.__cause__


def packed(events: Sequence[Outgoing]) -> Iterator[list[Outgoing]]:
    """The events in their order, cut into requests within PutEvents' limits."""
    return chunks(events, MAX_ENTRIES, size=lambda event: event.size, max_size=MAX_REQUEST_BYTES)


class _Refused(Exception):
    def __init__(self, events: Sequence[Outgoing], reasons: Sequence[str]) -> None:
        super().__init__()
        self.events = events
        self.reasons = reasons


def _put(request: Sequence[Outgoing], bus: Bus) -> None:
    """Send one request until all of it is on the bus; raises _Refused with what is not."""
    from botocore.exceptions import BotoCoreError, ClientError

    waiting = list(request)
    try:
        for event in waiting:
            if event.deposit:
                bus.deposit(event.deposit)
    except (BotoCoreError, ClientError) as error:
        raise _Refused(waiting, [f"of {event}, the data did not get into S3: {error}"]) from error
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
        hopeless = any(result["ErrorCode"] not in _TRANSIENT for result in results)
        if hopeless or attempt == ATTEMPTS:
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
        f"{count} of {total} events did not get onto the bus "
        f"({'; '.join(refused.reasons)}){later}: {names}"
    )


def _own_bus() -> Bus:
    return Bus(os.environ["EVENT_BUS_NAME"], _client(), claim_check.deposit)


@cache
def _client() -> "EventBridgeClient":
    # Here, not at the top: a function that never publishes never pays for loading it.
    import boto3

    return boto3.client("events")
