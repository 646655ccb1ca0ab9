"""Browsing of dead-letter queues: all messages stay there.

A message is received and made visible again: in between, nobody else receives it.
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

AT_A_TIME = 10  # messages: the limit of each of SQS's requests
LOOK_AT = 100  # dead letters of a queue, of which there may be a hundred thousand
HIDDEN_FOR = 30  # seconds, if nobody puts them back
SEEN_A_SECOND = 20  # dead letters, at least
LATEST_LINES = timedelta(minutes=1)  # how much clocks may differ
PAGES = 20  # of a log that are read for the reasons of some dead letters
IN_A_PATTERN = 16  # message ids, within the length that a pattern may have


def browse(clients: Clients, queue: DeadLetterQueue, limit: int = LOOK_AT) -> list[DeadLetter]:
    """Return up to `limit` dead letters, newest first; those in flight can't be received."""
    seen = sample_messages(clients.client("sqs"), queue.url, limit, queue.count)
    dead_letters = with_last_errors(clients, queue, seen)
    return sorted(dead_letters, key=lambda each: each.last or each.first, reverse=True)


def sample_messages(sqs: Any, url: str, limit: int, count: int | None = None) -> list[Message]:
    """Receive up to `limit` of a queue's `count` messages, and make them visible again."""
    seen: dict[str, Message] = {}
    try:
        while len(seen) < limit:
            asked = min(AT_A_TIME, limit - len(seen))
            messages = receive(sqs, url, asked, HIDDEN_FOR + limit // SEEN_A_SECOND)
            is_new = any(message["MessageId"] not in seen for message in messages)
            seen |= {message["MessageId"]: message for message in messages}
            if not is_new or (len(messages) < asked and len(seen) >= (count or limit)):
                break
    finally:
        make_visible(sqs, url, seen.values())
    return list(seen.values())


def receive(sqs: Any, url: str, most: int, hidden_for: int, wait: int = 1) -> list[Message]:
    """Receive up to `most` messages, with a visibility timeout of `hidden_for` seconds."""
    answer = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=most,
        VisibilityTimeout=hidden_for,
        # Without waiting, SQS asks some of its servers only, and may find nothing.
        WaitTimeSeconds=wait,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
    )
    messages: list[Message] = answer.get("Messages", [])
    return messages


def make_visible(sqs: Any, url: str, messages: Iterable[Message]) -> None:
    """Have them be seen again now. One that can't be is seen again when its time is over."""
    for some in chunks(list(messages), AT_A_TIME):
        entries = [
            {"Id": str(number), "ReceiptHandle": each["ReceiptHandle"], "VisibilityTimeout": 0}
            for number, each in enumerate(some)
        ]
        sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)


def with_last_errors(
    clients: Clients, queue: DeadLetterQueue, messages: Sequence[Message]
) -> list[DeadLetter]:
    """Parse messages, and read from the consumer's log the last errors they do not carry."""
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
    # What died together has failed together: in this order, each part is of a short time.
    for some in chunks(sorted(messages, key=lambda each: _began(each, queue)), IN_A_PATTERN):
        ids = {message["MessageId"] for message in some}
        since = _began(some[0], queue) - LATEST_LINES
        for line in lines(logs, group, _failures_of(sorted(ids)), since, pages=PAGES):
            if line.get("message") == "failed" and line.get("message_id") in ids:
                found[line["message_id"]] = _last_error(line)
    return found


def _began(message: Message, queue: DeadLetterQueue) -> datetime:
    """Return the earliest time of its first failure: a FIFO queue loses the time of sending."""
    return parse_message(message, queue).first if queue.is_fifo else sent_at(message)


def _failures_of(ids: Sequence[str]) -> str:
    which = "||".join(f'$.message_id="{each}"' for each in ids)
    return f'{{$.message="failed"&&({which})}}'


def _last_error(line: Line) -> LastError:
    attempt, trace = line.get("attempt"), line.get("exception")
    return LastError(
        reason=str(line.get("reason")),
        attempts=attempt if isinstance(attempt, int) else None,
        last=line["at"],
        traceback=trace if isinstance(trace, str) else None,
    )
