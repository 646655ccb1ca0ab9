"""Redelivery: failed messages are retried later, or become dead letters."""

import math
import os
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from patchbay.messaging.backoff import CAP, full_jitter

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

# Characters that are not in XML 1.0: SQS refuses a message with one of them.
_UNSENDABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

MAX_REASON = 1024  # characters; they count towards the message's size


def delay_after(attempt: int) -> int:
    """Return the seconds until the next attempt, after the `attempt`-th has failed."""
    return math.ceil(full_jitter(attempt, cap=float(os.environ.get("BACKOFF_CAP", CAP))))


def change_visibility(record: SQSRecord, seconds: int) -> None:
    """Set the message's visibility timeout: the next attempt is after it."""
    _client().change_message_visibility(
        QueueUrl=os.environ["QUEUE_URL"],
        ReceiptHandle=record.receipt_handle,
        VisibilityTimeout=seconds,
    )


def reject(record: SQSRecord, reason: Exception) -> None:
    """Send the message to the dead-letter queue, with the reason and its attempts.

    The caller then reports it as handled, and Lambda deletes it from the queue. If the function
    crashes in between, there are two dead letters of it, but it is not lost.
    """
    attributes = {
        "Reason": _sendable(str(reason))[:MAX_REASON] or type(reason).__name__,
        "Consumer": os.environ["CONSUMER"],
        "OriginalMessageId": record.message_id,
        "Attempts": record.attributes.approximate_receive_count,
    }
    _client().send_message(
        QueueUrl=os.environ["DEAD_LETTER_QUEUE_URL"],
        MessageBody=record.body,
        MessageAttributes={name: _text(value) for name, value in attributes.items()},
        **_fifo_fields(record),
    )


def _sendable(text: str) -> str:
    """Return the text, with a � for each character that SQS refuses."""
    return _UNSENDABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _text(value: str) -> "MessageAttributeValueTypeDef":
    return {"DataType": "String", "StringValue": value}


def _fifo_fields(record: SQSRecord) -> dict[str, Any]:
    group = record.attributes.message_group_id
    if not group:
        return {}
    return {"MessageGroupId": group, "MessageDeduplicationId": record.message_id}


@cache
def _client() -> "SQSClient":
    # Imported here: a function in which nothing fails does not pay for loading it.
    import boto3

    return boto3.client("sqs")
