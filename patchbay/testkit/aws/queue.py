"""SQS's queues: moto holds them and their messages, and this module receives from them.

moto's ReceiveMessage delivers a FIFO queue out of order after a failure, and makes a message
visible a moment late. moto answers the functions' own calls to SQS.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

from moto.core.utils import unix_time_millis
from moto.sqs.models import Message, sqs_backends
from moto.sqs.models import Queue as MotoQueue

from patchbay.testkit.aws.iam import Statement
from patchbay.testkit.clock import Clock
from patchbay.testkit.reading.arns import arn_of, queue_url
from patchbay.testkit.reading.intrinsics import ACCOUNT, REGION

DEDUPLICATED_FOR = 5 * 60.0  # seconds, SQS's deduplication interval
MAX_MESSAGE_BYTES = 1024 * 1024  # SQS's own limit, for the body and the attributes together


class Queue:
    """A queue of the templates."""

    def __init__(
        self, clock: Clock, properties: dict[str, Any], statements: Sequence[Statement]
    ) -> None:
        self.name: str = properties["QueueName"]
        self.arn = arn_of("AWS::SQS::Queue", self.name)
        self.url = queue_url(self.name)
        self.statements = statements
        self.is_fifo = bool(properties.get("FifoQueue"))
        self.visibility_timeout = float(properties.get("VisibilityTimeout", 30))
        self._retention = float(properties.get("MessageRetentionPeriod", 4 * 24 * 60 * 60))
        self._clock = clock
        self._redrive = properties.get("RedrivePolicy")
        self.dead_letters: Queue | None = None
        self.refused: str | None = None
        """Why the kit can't simulate it."""
        self._moto = _create(properties)
        self._taken: dict[tuple[str | None, str | None], float] = {}
        self._by_group = properties.get("DeduplicationScope") == "messageGroup"
        if self.is_fifo:
            # moto no longer deduplicates a message after it is deleted.
            self._moto.add_message = self._add_once  # type: ignore[method-assign]

    @property
    def tells_duplicates_by_content(self) -> bool:
        return str(self._moto.attributes.get("ContentBasedDeduplication")).lower() == "true"

    @property
    def redrive_target(self) -> str | None:
        """The ARN of its dead-letter queue."""
        return self._redrive["deadLetterTargetArn"] if self._redrive else None

    @property
    def max_receive_count(self) -> int | None:
        return int(self._redrive["maxReceiveCount"]) if self._redrive else None

    def __len__(self) -> int:
        return len(self._moto._messages)

    def __bool__(self) -> bool:
        """Return True: an empty queue is not false."""
        return True

    def messages(self) -> list[Message]:
        """Return all messages, visible or not, the oldest first."""
        return list(self._moto._messages)

    def send(
        self,
        body: str,
        *,
        group: str | None = None,
        deduplication: str | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> str:
        """Send a message, and return its id."""
        sent = sqs_backends[ACCOUNT][REGION].send_message(
            self.name,
            body,
            message_attributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in (attributes or {}).items()
            },
            group_id=group,
            deduplication_id=deduplication,
        )
        return sent.id

    def receive(self, limit: int, chance: random.Random | None = None) -> "Received":
        """Receive up to `limit` messages, in order, or in a random order from `chance`.

        Messages over the maxReceiveCount go to the dead-letter queue, and expired ones are deleted.
        """
        received = Received()
        candidates = self._receivable(received.expired)
        if chance and not self.is_fifo:
            shuffled = list(candidates)
            chance.shuffle(shuffled)
            candidates = iter(shuffled)
        for message in candidates:
            if self._is_spent(message):
                self._to_the_dead_letters(message)
                received.dead.append(message)
                continue
            message.mark_received(visibility_timeout=int(self.visibility_timeout))
            received.messages.append(message)
            if len(received.messages) == limit:
                break
        return received

    def _add_once(self, message: Message) -> None:
        sent = _sent_at(message)
        name = (message.group_id if self._by_group else None, message.deduplication_id)
        if sent - self._taken.get(name, float("-inf")) < DEDUPLICATED_FOR:
            return
        self._taken[name] = sent
        self._moto._messages.append(message)

    def delete(self, message: Message) -> None:
        """Delete a message. If it is deleted already, do nothing."""
        if message in self._moto._messages:
            self._moto._messages.remove(message)

    def holds(self, message_id: str) -> bool:
        return any(message.id == message_id for message in self._moto._messages)

    def next_at(self) -> float | None:
        """Return when the next message is visible, in seconds since the epoch."""
        if not self.is_fifo:
            return min((_free_at(message) for message in self._moto._messages), default=None)
        groups: dict[str, float] = {}
        for message in self._moto._messages:
            group = message.group_id or ""
            groups[group] = max(groups.get(group, 0.0), _free_at(message))
        return min(groups.values(), default=None)

    def forward(self, target: "Queue") -> list[tuple[str, str, str]]:
        """Move all messages to another queue, and return their old ids, new ids and bodies."""
        moved = []
        for message in self.messages():
            moved.append((message.id, target.take(message), message.body))
            self._moto._messages.remove(message)
        return moved

    def take(self, message: Message) -> str:
        """Send the message of another queue as a new one, and return its id."""
        sent = sqs_backends[ACCOUNT][REGION].send_message(
            self.name,
            message.body,
            message_attributes=message.message_attributes,
            # A message from a standard queue has no group.
            group_id=message.group_id or ("all" if self.is_fifo else None),
            deduplication_id=str(uuid4()) if self.is_fifo else None,
        )
        return sent.id

    def _receivable(self, expired: list[Message]) -> Iterator[Message]:
        now = self._clock.now
        # While one message of a group is in flight, no other of that group is delivered.
        in_flight = (each for each in self.messages() if self.is_fifo and _free_at(each) > now)
        blocked = {each.group_id or "" for each in in_flight}
        for message in self.messages():
            if _sent_at(message) + self._retention <= now:
                self._moto._messages.remove(message)
                expired.append(message)
            elif self.is_fifo and message.group_id in blocked:
                continue
            elif _free_at(message) <= now:
                yield message

    def _is_spent(self, message: Message) -> bool:
        return (
            self.max_receive_count is not None
            and message.approximate_receive_count >= self.max_receive_count
        )

    def _to_the_dead_letters(self, message: Message) -> None:
        assert self.dead_letters is not None
        self._moto._messages.remove(message)
        message.visible_at = 0.0
        self.dead_letters._moto._messages.append(message)


class Received:
    """The result of receiving from a queue."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.dead: list[Message] = []  # moved to the dead-letter queue
        self.expired: list[Message] = []  # older than the retention period


def change_visibility(name: str, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Perform SQS's ChangeMessageVisibilityBatch, and return its response.

    moto counts the 12 hours from when a message was sent, and makes it visible a moment too late.
    """
    messages = sqs_backends[ACCOUNT][REGION].queues[name]._messages
    answer: dict[str, Any] = {"Successful": [], "Failed": []}
    for entry in entries:
        those = [each for each in messages if each.had_receipt_handle(entry["ReceiptHandle"])]
        if not those:
            failure = {"Code": "ReceiptHandleIsInvalid", "Message": "unknown", "SenderFault": True}
            answer["Failed"].append({"Id": entry["Id"], **failure})
            continue
        seconds = entry["VisibilityTimeout"]
        those[0].visible_at = unix_time_millis() + 1000 * seconds if seconds else 0.0
        answer["Successful"].append({"Id": entry["Id"]})
    return answer


def record_of(message: Message, queue: Queue) -> dict[str, Any]:
    """Return a message as a record of Lambda's event."""
    attributes = {
        "ApproximateReceiveCount": str(message.approximate_receive_count),
        "SentTimestamp": str(message.sent_timestamp),
        "SenderId": message.sender_id,
        "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
    }
    if queue.is_fifo:
        attributes |= {
            "MessageGroupId": message.group_id or "",
            "MessageDeduplicationId": message.deduplication_id or "",
            "SequenceNumber": message.sequence_number or "",
        }
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {
            name: {
                "dataType": value["DataType"],
                "stringValue": value.get("StringValue"),
                "stringListValues": [],
                "binaryListValues": [],
            }
            for name, value in message.message_attributes.items()
        },
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": REGION,
    }


def _sent_at(message: Message) -> float:
    return (message.sent_timestamp or 0) / 1000


def _free_at(message: Message) -> float:
    return max(message.visible_at, message.delayed_until) / 1000


def _create(properties: dict[str, Any]) -> MotoQueue:
    plain = {k: v for k, v in properties.items() if k not in ("RedrivePolicy", "Tags")}
    attributes: dict[str, Any] = {
        name: json.dumps(value) if isinstance(value, dict) else value
        for name, value in plain.items()
        if name != "QueueName"
    }
    backend = sqs_backends[ACCOUNT][REGION]
    return backend.create_queue(properties["QueueName"], **attributes)
