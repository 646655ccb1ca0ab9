"""Deliveries of a journey's events to consumers, from the logs and the dead letters."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.browse import sample_messages
from patchbay.operations.dead_letters.message import (
    NOT_LOGGED,
    NOT_RELAYED,
    UNKNOWN,
    LastError,
    Message,
    object_in,
    own_error,
    parse_object,
    text_in,
)
from patchbay.operations.dead_letters.queues import queues
from patchbay.operations.journeys.executions import Execution, execution
from patchbay.operations.journeys.journal import Entry
from patchbay.operations.log_lines import Line, lines
from patchbay.topology.consumers import Consumer

MOST_DEAD_LETTERS = 300  # that are looked through for an event, of each consumer
LATE = timedelta(minutes=1)  # after which it is asked whether an event was not delivered


@dataclass(frozen=True)
class Failure:
    """An attempt that failed."""

    at: datetime
    attempt: int
    reason: str


@dataclass
class Delivery:
    """What became of one event with one consumer."""

    consumer: str
    failures: list[Failure] = field(default_factory=list)
    handled_at: datetime | None = None
    repeats: int = 0
    """How often it came again, and was skipped or changed nothing."""
    is_dead: bool = False
    """Whether it is among the dead letters now."""
    dead_at: datetime | None = None
    """When it was given up, as far as that is known."""
    rejected: str | None = None
    """Why it was rejected at once, if that is how it became a dead letter."""
    undelivered: str | None = None
    """Why it has never come to the consumer, if it waits where such dead letters are left."""
    execution: Execution | None = None
    """The workflow that was started for it, if that is what the consumer does."""

    @property
    def is_missing(self) -> bool:
        """Whether nothing is known of it with this consumer."""
        return not (self.handled_at or self.repeats or self.failures or self.is_dead)

    @property
    def repeats_in_words(self) -> str:
        """What there is to say of its repeats, as a sentence goes on; empty where it has none."""
        if not self.repeats:
            return ""
        return ", and came again " + ("once" if self.repeats == 1 else f"{self.repeats} times")

    @property
    def reason(self) -> str:
        """Why it has not been handled."""
        if told := self.rejected or self.undelivered:
            return told
        if self.failures:
            return self.failures[-1].reason
        return NOT_LOGGED


def deliveries(
    clients: Clients, stage: str, consumers: Iterable[Consumer], journey: Sequence[Entry]
) -> dict[str, list[Delivery]]:
    """Return by event id how each subscribed consumer handled the event."""
    found: dict[str, list[Delivery]] = {entry.id: [] for entry in journey}
    sqs = clients.client("sqs")
    for consumer, events in _takers(clients, consumers, journey):
        for event_id, delivery in events.items():
            found[event_id].append(delivery)
        unhandled = {key for key, each in events.items() if each.handled_at is None}
        for event_id, error in _dead_letters(sqs, consumer.dead_letters_url, unhandled).items():
            dead = events[event_id]
            dead.is_dead = True
            dead.rejected = error.reason if error else None
            last = dead.failures[-1].at if dead.failures else None
            dead.dead_at = error.last if error else last
        if arn := consumer.workflow_arn:
            for event_id in events.keys() - unhandled:
                events[event_id].execution = execution(clients, arn, event_id)
    _look_for_undelivered(clients, stage, journey, found)
    return found


def _look_for_undelivered(
    clients: Clients,
    stage: str,
    journey: Sequence[Entry],
    found: Mapping[str, Sequence[Delivery]],
) -> None:
    """Find out what has never come to its consumers, and where it waits instead."""
    late = datetime.now(UTC) - LATE
    missing: dict[str, dict[str, Delivery]] = defaultdict(dict)
    for entry in journey:
        for delivery in found[entry.id]:
            if entry.published_at < late and delivery.is_missing:
                missing[delivery.consumer][entry.id] = delivery
    if not missing:
        return  # to find these queues takes longer than all the rest
    for queue in queues(clients, stage):
        awaited = missing.get(queue.owner)
        if not awaited or not queue.count or queue.kind not in ("delivery", "relay"):
            continue
        dead_letters = _dead_letters(clients.client("sqs"), queue.url, awaited.keys(), queue.count)
        for event_id, error in dead_letters.items():
            reason = error.reason if error else NOT_RELAYED if queue.kind == "relay" else UNKNOWN
            awaited[event_id].undelivered = f"{reason} (it waits in {queue.name})"
            awaited[event_id].dead_at = error.last if error else None


def _takers(
    clients: Clients, consumers: Iterable[Consumer], journey: Sequence[Entry]
) -> Iterator[tuple[Consumer, dict[str, Delivery]]]:
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
        for (consumer, ids), told in zip(concerned, read, strict=True):
            yield consumer, _told(consumer.name, ids, told.result())


def _lines(logs: Any, consumer: Consumer, correlation: str, since: datetime) -> list[Line]:
    """Return the consumer's log lines about the journey."""
    logged = lines(logs, consumer.log_group, f'"{correlation}"', since)
    return [line for line in logged if line.get("correlation_id") == correlation]


def _told(consumer: str, ids: Iterable[str], logged: Sequence[Line]) -> dict[str, Delivery]:
    found = {event_id: Delivery(consumer) for event_id in ids}
    for line in sorted(logged, key=lambda line: line["at"]):
        delivery = found.get(line.get("event_id", ""))
        if delivery is None:
            continue
        match line.get("message"):
            case "handled" if delivery.handled_at is None:
                delivery.handled_at = line["at"]
            case "handled" | "already handled":
                delivery.repeats += 1
            case "failed":
                failure = Failure(line["at"], int(line["attempt"]), line["reason"])
                delivery.failures.append(failure)
    return found


def _dead_letters(
    sqs: Any, url: str, ids: Collection[str], count: int | None = None
) -> dict[str, LastError | None]:
    """Return which of these events are in a dead-letter queue, and why; they stay there."""
    if not ids:
        return {}
    messages = sample_messages(sqs, url, MOST_DEAD_LETTERS, count)
    dead = {_event_id(message): own_error(message) for message in messages}
    return {key: error for key, error in dead.items() if key in ids}


def _event_id(message: Message) -> str:
    metadata = object_in(object_in(parse_object(message["Body"]), "detail"), "metadata")
    return text_in(metadata, "id") or ""
