"""Messages of dead-letter queues, parsed whatever is in them."""

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
NOT_RELAYED = "its relay could not put it into the consumer's queue: the relay's log says why"
UNKNOWN = "nobody has said why"

Message = Mapping[str, Any]


@dataclass(frozen=True)
class LastError:
    """Why something failed for good, as far as the message itself, or a log, says so."""

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
    """Return the error in the message's attributes, if whoever sent it wrote one."""
    said = {
        name: value.get("StringValue", "")
        for name, value in message.get("MessageAttributes", {}).items()
    }
    sent = sent_at(message)
    if "Reason" in said:  # patchbay/messaging/redelivery.py
        return LastError(said["Reason"], _number(said.get("Attempts")), sent)
    if "ERROR_CODE" in said:  # EventBridge's own, and Scheduler's
        why = said.get("ERROR_MESSAGE") or said.get("EXHAUSTED_RETRY_CONDITION") or UNKNOWN
        retries = _number(said.get("RETRY_ATTEMPTS"))
        attempts = None if retries is None else retries + 1
        return LastError(f"{said['ERROR_CODE']}: {why}", attempts, sent)
    return None


def _reported_by_lambda(record: Mapping[str, Any], sent: datetime) -> LastError | None:
    """Return the error in Lambda's record of a failed invocation or stream batch."""
    context = object_in(record, "requestContext")
    condition = text_in(context, "condition")
    if condition is None:
        return None
    answer = object_in(record, "responsePayload")
    kind, said = text_in(answer, "errorType"), text_in(answer, "errorMessage")
    why = ": ".join(filter(None, [kind, said]))
    if not why:
        error = text_in(object_in(record, "responseContext"), "functionError")
        why = f"the function failed ({error})" if error else "the function did not take it"
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
    """Return the event in the body, if EventBridge has delivered it."""
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
    """Return when a schedule's run was due, or when a stream's record was written."""
    for told in (record, object_in(record, "requestPayload")):
        if at := _moment(told.get("at")):
            return at
    for batch in ("DDBStreamBatchInfo", "KinesisBatchInfo"):
        if at := _moment(object_in(record, batch).get("approximateArrivalOfFirstRecord")):
            return at
    return None


def sent_at(message: Message) -> datetime:
    """Return when it was sent; where SQS moved it here, when it was sent to its first queue."""
    stamp = message.get("Attributes", {}).get("SentTimestamp", "0")
    return datetime.fromtimestamp(int(stamp) / 1000, UTC)


def parse_object(body: str) -> dict[str, Any]:
    """Parse a body as a JSON object; returns an empty one where it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def object_in(within: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the object under that name; an empty one if there is none."""
    found = within.get(name)
    return found if isinstance(found, dict) else {}


def text_in(within: Mapping[str, Any], name: str) -> str | None:
    """Return the string under that name, if there is one."""
    found = within.get(name)
    return found if isinstance(found, str) else None


def _moment(text: Any) -> datetime | None:
    """Parse a time that names its zone."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def _number(told: Any) -> int | None:
    try:
        return int(told)
    except (TypeError, ValueError, OverflowError):
        return None
