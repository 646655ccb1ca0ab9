"""A consumer's queues, real ones under moto, and the one thing moto lacks: Lambda polling them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from uuid import uuid4

import boto3

from tests.patchbay.messaging.wire import Context, Message, body_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Handler = Callable[[dict[str, Any], Any], Any]

BATCH = 10  # SQS's own limit
VISIBILITY_TIMEOUT = 6 * Context.SECONDS  # as the consumer construct sets it


@cache
def sqs() -> "SQSClient":
    return boto3.client("sqs")


@dataclass(frozen=True)
class DeadLetter:
    """A message that was rejected, and what its attributes say."""

    body: str
    reason: str
    consumer: str
    original_message_id: str
    attempts: int
    group: str | None  # of a FIFO queue's message


class ConsumerQueue:
    """The queue and the dead-letter queue of one consumer.

    An instance is a queue on which Lambda polls: `deliver` puts messages into it and runs the
    handler on what is there to be received.
    """

    def __init__(self, consumer: str, *, fifo: bool = False) -> None:
        self.consumer = consumer
        self._fifo = fifo
        self._sqs = sqs()
        self.url = self._create(consumer)
        self.dead_letter_url = self._create(f"{consumer}-dead-letters")
        self._sent: dict[str, Message] = {}

    def send(self, message: Message, *, group: str = "a group") -> str:
        """Put one message into the queue; returns its id."""
        fifo: Any = (
            {"MessageGroupId": group, "MessageDeduplicationId": str(uuid4())} if self._fifo else {}
        )
        sent = self._sqs.send_message(QueueUrl=self.url, MessageBody=body_of(message), **fifo)
        self._sent[sent["MessageId"]] = message
        return sent["MessageId"]

    def deliver(self, handler: Handler, *messages: Message) -> list[Message]:
        """Send the messages, and run the handler on a batch of what can be received now.

        What it did not report as failed is deleted, as Lambda would. Returns what failed, in the
        form in which it was sent. Without messages, it delivers what came back.
        """
        for message in messages:
            self.send(message)
        return self.run(handler, self.receive())

    def receive(self) -> list[dict[str, Any]]:
        """A batch of records, as Lambda hands them over; they are in flight from now on."""
        received = self._sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=BATCH,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        arn = self._attribute("QueueArn")
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {},
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": arn,
                "awsRegion": "us-east-1",
            }
            for message in received.get("Messages", [])
        ]

    def run(self, handler: Handler, records: list[dict[str, Any]]) -> list[Message]:
        """Run the handler on these records, delete what it did not report, and return the rest."""
        if not records:
            return []
        environment = {
            "CONSUMER": self.consumer,
            "QUEUE_URL": self.url,
            "DEAD_LETTER_QUEUE_URL": self.dead_letter_url,
        }
        with patch.dict(os.environ, environment):
            answer = handler({"Records": records}, Context())
        failed = [item["itemIdentifier"] for item in answer["batchItemFailures"]]
        for record in records:
            if record["messageId"] not in failed:
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=record["receiptHandle"])
        return [self._sent[message_id] for message_id in failed]

    def is_empty(self) -> bool:
        """Return whether no message waits or is in flight."""
        counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return all(self._attribute(count) == "0" for count in counts)

    def dead_letters(self) -> list[DeadLetter]:
        """Return the rejected messages, and leave them in the queue."""
        received = self._sqs.receive_message(
            QueueUrl=self.dead_letter_url,
            MaxNumberOfMessages=BATCH,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["MessageGroupId"],
            VisibilityTimeout=0,
        )
        return [
            DeadLetter(
                body=message["Body"],
                reason=_attribute_of(message, "Reason"),
                consumer=_attribute_of(message, "Consumer"),
                original_message_id=_attribute_of(message, "OriginalMessageId"),
                attempts=int(_attribute_of(message, "Attempts")),
                group=message["Attributes"].get("MessageGroupId"),
            )
            for message in received.get("Messages", [])
        ]

    def _create(self, name: str) -> str:
        attributes: Any = {"VisibilityTimeout": str(VISIBILITY_TIMEOUT)}
        if self._fifo:
            name, attributes = f"{name}.fifo", attributes | {"FifoQueue": "true"}
        return self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def _attribute(self, name: Any) -> str:
        answer = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
        return answer["Attributes"][name]


def _attribute_of(message: Any, name: str) -> str:
    value: str = message["MessageAttributes"][name]["StringValue"]
    return value
