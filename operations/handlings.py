"""What each consumer did with each event of a journey: from its log, and its dead letters."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from operations.clients import Clients
from operations.consumers import Consumer
from operations.journal import Entry

PEEK = 10  # messages of a dead-letter queue at a time: SQS's own limit
REASON = "Reason"  # the attribute in which messaging's `reject` says why
# Long enough to read all of them once; each is put back as soon as that is done.
HIDDEN_FOR = 30  # seconds

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Failure:
    """An attempt that failed."""

    at: datetime
    attempt: int
    reason: str


@dataclass
class Handling:
    """What became of one event with one consumer."""

    consumer: str
    failures: list[Failure] = field(default_factory=list)
    handled_at: datetime | None = None
    repeats: int = 0
    """How often it came again, and was skipped."""
    is_dead: bool = False
    """Whether it is among the dead letters now."""
    rejected: str | None = None
    """Why it was rejected at once, if that is how it became a dead letter."""

    @property
    def why(self) -> str:
        """Why it has not been handled."""
        if self.rejected:
            return self.rejected
        if self.failures:
            return self.failures[-1].reason
        return "no reason was logged: the function timed out, crashed, or its log has expired"


def handlings(
    clients: Clients, consumers: Iterable[Consumer], journey: Sequence[Entry]
) -> dict[str, list[Handling]]:
    """Of each event, by its id: what each consumer that is given it did, by their names."""
    found: dict[str, list[Handling]] = {entry.id: [] for entry in journey}
    for consumer, events in _takers(clients, consumers, journey):
        for event_id, handling in events.items():
            found[event_id].append(handling)
        unhandled = {key for key, each in events.items() if each.handled_at is None}
        for event_id, why in _dead(clients, consumer, unhandled).items():
            events[event_id].is_dead = True
            events[event_id].rejected = why
    return found


def _takers(
    clients: Clients, consumers: Iterable[Consumer], journey: Sequence[Entry]
) -> Iterator[tuple[Consumer, dict[str, Handling]]]:
    taking = [
        (consumer, {entry.id for entry in journey if consumer.takes(entry.as_delivered)})
        for consumer in consumers
    ]
    concerned = [(consumer, ids) for consumer, ids in taking if ids]
    correlation = journey[0].correlation_id
    since = min(entry.published_at for entry in journey)
    logs = clients.client("logs")
    with ThreadPoolExecutor() as pool:
        read = [pool.submit(_lines, logs, each, correlation, since) for each, _ in concerned]
        for (consumer, ids), lines in zip(concerned, read, strict=True):
            yield consumer, _told(consumer.name, ids, lines.result())


def _lines(logs: Any, consumer: Consumer, correlation: str, since: datetime) -> list[Line]:
    """What the consumer has logged about the journey."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=consumer.log_group,
        startTime=int(since.timestamp() * 1000),
        filterPattern=f'"{correlation}"',
    )
    try:
        events = [event for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []  # it has never run
    lines = [_parsed(event) for event in events]
    return [line for line in lines if line.get("correlation_id") == correlation]


def _parsed(event: Mapping[str, Any]) -> dict[str, Any]:
    try:
        line = json.loads(event["message"])
    except ValueError:
        return {}
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    return {**line, "at": at} if isinstance(line, dict) else {}


def _told(consumer: str, ids: Iterable[str], lines: Sequence[Line]) -> dict[str, Handling]:
    found = {event_id: Handling(consumer) for event_id in ids}
    for line in sorted(lines, key=lambda line: line["at"]):
        handling = found.get(line.get("event_id", ""))
        if handling is None:
            continue
        match line["message"]:
            case "handled":
                handling.handled_at = line["at"]
            case "already handled":
                handling.repeats += 1
            case "failed":
                failure = Failure(line["at"], int(line["attempt"]), line["reason"])
                handling.failures.append(failure)
    return found


def _dead(clients: Clients, consumer: Consumer, ids: set[str]) -> dict[str, str | None]:
    """Which of these events are dead letters of the consumer, and why. All of them stay there."""
    if not ids:
        return {}
    sqs, url = clients.client("sqs"), consumer.dead_letters_url
    seen: dict[str, tuple[str, str, str | None]] = {}
    while True:
        messages = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=PEEK,
            VisibilityTimeout=HIDDEN_FOR,
            # Without waiting, SQS asks some of its servers only, and may find nothing.
            WaitTimeSeconds=1,
            MessageAttributeNames=[REASON],
        ).get("Messages", [])
        new = [message for message in messages if message["MessageId"] not in seen]
        for message in messages:
            said = message.get("MessageAttributes", {}).get(REASON, {}).get("StringValue")
            letter = (message["ReceiptHandle"], _event_id(message["Body"]), said)
            seen[message["MessageId"]] = letter
        if not new:
            break
    for handle, _, _ in seen.values():
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    return {event_id: why for _, event_id, why in seen.values() if event_id in ids}


def _event_id(body: str) -> str:
    try:
        return str(json.loads(body)["detail"]["metadata"]["id"])
    except (ValueError, KeyError, TypeError):
        return ""
