"""The relay of an ordered consumer: moves events to a FIFO queue, with a message group per key.

It reads the intake, a FIFO queue with a single message group, so that no two batches are relayed at
once, and the event that EventBridge delivered first is relayed first. Within a batch, events are
sorted by the time at which they were published.

It rejects nothing: an event without the key gets a message group of its own, and the consumer
rejects it with the reason.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from aws_lambda_powertools.utilities.data_classes import SQSEvent, event_source
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from patchbay.chunks import chunks
from patchbay.messaging import redelivery
from patchbay.messaging.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MAX_ENTRIES = 10  # in a request: SendMessageBatch's own limit
MAX_REQUEST_BYTES = 1024 * 1024  # of a request's messages together: its other limit
LONGEST_WAIT = 300  # seconds until a retry of a failed message: all others wait for it
# The characters and the length that SQS accepts in a message group id or a deduplication id.
_ACCEPTED = re.compile(r"[A-Za-z0-9!-/:-@\[-`{-~]{1,128}")


class Sendable(Protocol):
    """A message with a size and a message group."""

    @property
    def group(self) -> str: ...

    @property
    def size(self) -> int: ...


M = TypeVar("M", bound=Sendable)


@dataclass(frozen=True)
class Relayed:
    """A message with its message group and its deduplication id."""

    record: SQSRecord
    group: str
    deduplication: str
    published_at: datetime | None

    @property
    def size(self) -> int:
        return len(self.record.body.encode())


@event_source(data_class=SQSEvent)
def handler(event: SQSEvent, context: LambdaContext) -> dict[str, Any]:
    """Relay a batch; a message that fails is retried, with the later ones of its group."""
    waiting = in_order([_relayed(record) for record in event.records])
    failed: list[Relayed] = []
    for request in requests(waiting):
        held = {message.group for message in failed}
        failed += [message for message in request if message.group in held]
        failed += _send([message for message in request if message.group not in held])
    for message in failed:
        attempt = int(message.record.attributes.approximate_receive_count)
        delay = min(redelivery.delay_after(attempt), LONGEST_WAIT)
        redelivery.change_visibility(message.record, delay)
    logger().info("relayed", events=len(waiting) - len(failed), failed=len(failed))
    return {"batchItemFailures": [{"itemIdentifier": m.record.message_id} for m in failed]}


def in_order(messages: Sequence[Relayed]) -> list[Relayed]:
    """Sort by publishing time; a message without one stays after the message before it."""
    placed: list[tuple[datetime, Relayed]] = []
    latest: datetime | None = None
    for message in messages:
        latest = message.published_at or latest
        if latest:
            placed.append((latest, message))
    unplaced = messages[: len(messages) - len(placed)]
    # sorted() is stable.
    return [*unplaced, *(message for _, message in sorted(placed, key=lambda pair: pair[0]))]


def requests(messages: Sequence[M]) -> Iterator[list[M]]:
    """Return the messages in as few requests as possible, none with two of the same group.

    SQS may accept a part of a request: a later message must not be accepted without an earlier one
    of its group.
    """
    return chunks(
        messages,
        MAX_ENTRIES,
        size=lambda message: message.size,
        max_size=MAX_REQUEST_BYTES,
        fits=lambda request, message: message.group not in {each.group for each in request},
    )


def _send(request: Sequence[Relayed]) -> list[Relayed]:
    """Send one request; returns the messages that SQS did not accept."""
    from botocore.exceptions import BotoCoreError, ClientError

    if not request:
        return []
    try:
        answer = _client().send_message_batch(
            QueueUrl=os.environ["RELAYS_TO"],
            Entries=[_entry(str(number), message) for number, message in enumerate(request)],
        )
    except (BotoCoreError, ClientError) as error:
        logger().warning("not relayed", reason=str(error), events=len(request))
        return list(request)
    for refused in answer.get("Failed", []):
        logger().warning("not relayed", reason=refused.get("Message") or refused["Code"], events=1)
    return [request[int(refused["Id"])] for refused in answer.get("Failed", [])]


def _entry(id: str, message: Relayed) -> "SendMessageBatchRequestEntryTypeDef":
    return {
        "Id": id,
        "MessageBody": message.record.body,
        "MessageGroupId": message.group,
        "MessageDeduplicationId": message.deduplication,
    }


def _relayed(record: SQSRecord) -> Relayed:
    delivered = _parsed(record.body)
    detail = _object(delivered.get("detail"))
    metadata = _object(detail.get("metadata"))
    event_id = str(metadata.get("id") or record.message_id)
    key = _object(detail.get("data")).get(os.environ["ORDERED_BY"])
    replay = delivered.get("replay-name")
    return Relayed(
        record,
        group=_name(event_id if key is None else str(key)),
        # A replayed event must not be taken for a duplicate of the first delivery.
        deduplication=_name(f"{replay}/{event_id}" if replay else event_id),
        published_at=_moment(metadata.get("published_at")),
    )


def _parsed(body: str) -> dict[str, Any]:
    try:
        return _object(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _name(text: str) -> str:
    """Return the text if SQS accepts it, or else its digest."""
    return text if _ACCEPTED.fullmatch(text) else sha256(text.encode()).hexdigest()


@cache
def _client() -> "SQSClient":
    import boto3

    return boto3.client("sqs")
