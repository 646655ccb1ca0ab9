"""Browsing of dead-letter queues: messages are received, and made visible again.

In between, nobody else receives them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from patchbay.chunks import chunks
from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.dead_letter import DeadLetter, DeadLetterQueue
from patchbay.operations.dead_letters.message import (
    LastError,
    Message,
    own_error,
    parse_message,
    sent_at,
)
from patchbay.operations.log_lines import Line, lines

MAX_BATCH = 10  # messages: SQS's own limit for each request
DEFAULT_LIMIT = 100  # dead letters that are read from a queue, which may have a hundred thousand
VISIBILITY_TIMEOUT = 30  # seconds, if the process ends before it makes them visible again
READ_PER_SECOND = 20  # dead letters, at least
CLOCK_SKEW = timedelta(minutes=1)
PAGES = 20  # of a log, for the reasons of up to IDS_PER_PATTERN dead letters
IDS_PER_PATTERN = 16  # message ids that fit into a filter pattern


def browse(
    clients: Clients, queue: DeadLetterQueue, limit: int = DEFAULT_LIMIT
) -> list[DeadLetter]:
    """Return up to `limit` dead letters, newest first; those in flight can't be received."""
    seen = sample_messages(clients.client("sqs"), queue.url, limit, queue.count)
    dead_letters = with_last_errors(clients, queue, seen)
    return sorted(dead_letters, key=lambda each: each.last or each.first, reverse=True)


def sample_messages(sqs: Any, url: str, limit: int, count: int | None = None) -> list[Message]:
    """Receive up to `limit` of a queue's `count` messages, and make them visible again."""
    seen: dict[str, Message] = {}
    try:
        while len(seen) < limit:
            most = min(MAX_BATCH, limit - len(seen))
            timeout = VISIBILITY_TIMEOUT + limit // READ_PER_SECOND
            messages = receive(sqs, url, most, timeout)
            is_new = any(message["MessageId"] not in seen for message in messages)
            seen |= {message["MessageId"]: message for message in messages}
            if not is_new or (len(messages) < most and len(seen) >= (count or limit)):
                break
    finally:
        make_visible(sqs, url, seen.values())
    return list(seen.values())


def receive(sqs: Any, url: str, most: int, visibility_timeout: int, wait: int = 1) -> list[Message]:
    """Receive up to `most` messages; both times are in seconds."""
    answer = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=most,
        VisibilityTimeout=visibility_timeout,
        # A short poll asks only some of SQS's servers, and may find nothing.
        WaitTimeSeconds=wait,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
    )
    messages: list[Message] = answer.get("Messages", [])
    return messages


def make_visible(sqs: Any, url: str, messages: Iterable[Message]) -> None:
    """End the messages' visibility timeout now; where SQS refuses, it ends by itself later."""
    for some in chunks(list(messages), MAX_BATCH):
        entries = [
            {"Id": str(number), "ReceiptHandle": each["ReceiptHandle"], "VisibilityTimeout": 0}
            for number, each in enumerate(some)
        ]
        sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)


def with_last_errors(
    clients: Clients, queue: DeadLetterQueue, messages: Sequence[Message]
) -> list[DeadLetter]:
    """Parse messages; where one carries no error, read the last one from the consumer's log."""
    unexplained = [
        each for each in messages if queue.kind == "handling" and own_error(each) is None
    ]
    logged = _logged(clients, queue, unexplained) if queue.log_group else {}
    return [parse_message(each, queue, logged.get(each["MessageId"])) for each in messages]


def _logged(
    clients: Clients, queue: DeadLetterQueue, messages: Sequence[Message]
) -> dict[str, LastError]:
    """Return the last error of each message, by the message's id."""
    logs, group = clients.client("logs"), queue.log_group or ""
    found: dict[str, LastError] = {}
    # Sorted by time, each request covers a short part of the log.
    for some in chunks(sorted(messages, key=lambda each: _began(each, queue)), IDS_PER_PATTERN):
        ids = {message["MessageId"] for message in some}
        since = _began(some[0], queue) - CLOCK_SKEW
        for line in lines(logs, group, _failures_of(sorted(ids)), since, pages=PAGES):
            if line.get("message") == "failed" and line.get("message_id") in ids:
                found[line["message_id"]] = _last_error(line)
    return found


def _began(message: Message, queue: DeadLetterQueue) -> datetime:
    """Return the earliest possible time of a message's first failure.

    SQS keeps the time when it was sent to its first queue, but not for a FIFO queue.
    """
    return parse_message(message, queue).first if queue.is_fifo else sent_at(message)


def _failures_of(ids: Sequence[str]) -> str:
    conditions = "||".join(f'$.message_id="{each}"' for each in ids)
    return f'{{$.message="failed"&&({conditions})}}'


def _last_error(line: Line) -> LastError:
    attempt, trace = line.get("attempt"), line.get("exception")
    return LastError(
        reason=str(line.get("reason")),
        attempts=attempt if isinstance(attempt, int) else None,
        last=line["at"],
        traceback=trace if isinstance(trace, str) else None,
    )
