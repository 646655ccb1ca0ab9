"""Messages of dead-letter queues: any content can be parsed, also a hostile one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from patchbay.operations.dead_letters.dead_letter import (
    DeadLetter,
    DeadLetterEvent,
    DeadLetterQueue,
)
from patchbay.operations.event_ids import ids_in

NOT_LOGGED = "no reason was logged: the function timed out, crashed, or its log has expired"
NOT_RELAYED = "its relay could not send it to the consumer's queue: see the relay's log"
UNKNOWN = "no reason was given"

Message = Mapping[str, Any]


@dataclass(frozen=True)
class LastError:
    """The last error of a dead letter, from the message itself or from a log."""

    reason: str
    attempts: int | None = None
    last: datetime | None = None
    traceback: str | None = None


def parse_message(
    message: Message, queue: DeadLetterQueue, logged: LastError | None = None
) -> DeadLetter:
    """Parse a message of a dead-letter queue. Its own attributes take precedence over the log."""
    body: str = message["Body"]
    delivered = parse_object(body)
    event = _event(delivered)
    sent = sent_at(message)
    error = own_error(message) or logged
    if error is None and queue.kind in ("schedule", "stream"):
        error = _reported_by_lambda(delivered, sent)
    error = error or _unknown_error(queue)
    return DeadLetter(
        id=message["MessageId"],
        queue=queue,
        body=body,
        event=event,
        reason=error.reason,
        traceback=error.traceback,
        attempts=error.attempts,
        first=(event.published_at if event else None) or _began(delivered) or sent,
        last=error.last,
        handle=message["ReceiptHandle"],
        attributes=message.get("MessageAttributes", {}),
        group=message.get("Attributes", {}).get("MessageGroupId"),
    )


def own_error(message: Message) -> LastError | None:
    """Return the error in the message's attributes; None if its sender wrote none."""
    attributes = {
        name: value.get("StringValue", "")
        for name, value in message.get("MessageAttributes", {}).items()
    }
    sent = sent_at(message)
    if "Reason" in attributes:  # written by patchbay/messaging/redelivery.py
        return LastError(attributes["Reason"], _number(attributes.get("Attempts")), sent)
    if "ERROR_CODE" in attributes:  # written by EventBridge and by Scheduler
        condition = attributes.get("EXHAUSTED_RETRY_CONDITION")
        why = attributes.get("ERROR_MESSAGE") or condition or UNKNOWN
        retries = _number(attributes.get("RETRY_ATTEMPTS"))
        attempts = None if retries is None else retries + 1
        return LastError(f"{attributes['ERROR_CODE']}: {why}", attempts, sent)
    return None


def _reported_by_lambda(record: Mapping[str, Any], sent: datetime) -> LastError | None:
    """Return the error in Lambda's record of a failed invocation or stream batch."""
    context = object_in(record, "requestContext")
    condition = text_in(context, "condition")
    if condition is None:
        return None
    answer = object_in(record, "responsePayload")
    kind, message = text_in(answer, "errorType"), text_in(answer, "errorMessage")
    why = ": ".join(filter(None, [kind, message]))
    if not why:
        error = text_in(object_in(record, "responseContext"), "functionError")
        why = f"the function failed ({error})" if error else "the function was not invoked"
    trace = answer.get("stackTrace")
    return LastError(
        reason=f"{why} ({condition})",
        attempts=_number(context.get("approximateInvokeCount")),
        last=_moment(record.get("timestamp")) or sent,
        traceback="".join(map(str, trace)) if isinstance(trace, list) else None,
    )


def _unknown_error(queue: DeadLetterQueue) -> LastError:
    match queue.kind:
        case "handling":
            return LastError(NOT_LOGGED, queue.attempts)
        case "relay":
            return LastError(NOT_RELAYED, queue.attempts)
    return LastError(UNKNOWN)


def _event(delivered: Mapping[str, Any]) -> DeadLetterEvent | None:
    """Return the event in the body; None if the body is not EventBridge's."""
    if "detail-type" not in delivered or "detail" not in delivered:
        return None
    detail = object_in(delivered, "detail")
    metadata = object_in(detail, "metadata")
    published = metadata.get("published_at")
    return DeadLetterEvent(
        id=text_in(metadata, "id"),
        type=text_in(delivered, "detail-type"),
        source=text_in(delivered, "source"),
        journey=text_in(metadata, "correlation_id"),
        ids=ids_in(detail.get("data")),
        published_at=_moment(published) or _moment(delivered.get("time")),
        data=detail.get("data"),
    )


def _began(record: Mapping[str, Any]) -> datetime | None:
    """Return the due time of a schedule's run, or the arrival time of a stream's record."""
    for payload in (record, object_in(record, "requestPayload")):
        if at := _moment(payload.get("at")):
            return at
    for batch in ("DDBStreamBatchInfo", "KinesisBatchInfo"):
        if at := _moment(object_in(record, batch).get("approximateArrivalOfFirstRecord")):
            return at
    return None


def sent_at(message: Message) -> datetime:
    """Return the time when it was sent; if SQS moved it, to its first queue."""
    stamp = message.get("Attributes", {}).get("SentTimestamp", "0")
    return datetime.fromtimestamp(int(stamp) / 1000, UTC)


def parse_object(body: str) -> dict[str, Any]:
    """Parse a body as a JSON object; returns an empty one if it is not one."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def object_in(within: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the object of that name; an empty one if there is none."""
    found = within.get(name)
    return found if isinstance(found, dict) else {}


def text_in(within: Mapping[str, Any], name: str) -> str | None:
    """Return the string of that name; None if there is none."""
    found = within.get(name)
    return found if isinstance(found, str) else None


def _moment(text: Any) -> datetime | None:
    """Parse a time with a zone; returns None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None
