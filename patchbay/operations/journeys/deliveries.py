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

MAX_DEAD_LETTERS = 300  # of each consumer that are searched for an event
LATE = timedelta(minutes=1)  # after which an event without a log line is searched for


@dataclass(frozen=True)
class Failure:
    """An attempt that failed."""

    at: datetime
    attempt: int
    reason: str


@dataclass
class Delivery:
    """The delivery of one event to one consumer, and its result."""

    consumer: str
    failures: list[Failure] = field(default_factory=list)
    handled_at: datetime | None = None
    repeats: int = 0
    """The number of later deliveries, which were skipped or changed nothing."""
    is_dead: bool = False
    """True if it is a dead letter now."""
    dead_at: datetime | None = None
    """The time when it became a dead letter, if that is known."""
    rejected: str | None = None
    """The reason of its rejection; None if it was not rejected."""
    undelivered: str | None = None
    """The reason why it was not delivered; None if it was."""
    execution: Execution | None = None
    """The workflow execution that the consumer started for it, if any."""

    @property
    def is_missing(self) -> bool:
        """True if the consumer has no log line and no dead letter of it."""
        return not (self.handled_at or self.repeats or self.failures or self.is_dead)

    @property
    def repeats_in_words(self) -> str:
        """The end of a sentence about its repeats; empty if it has none."""
        if not self.repeats:
            return ""
        times = "once" if self.repeats == 1 else f"{self.repeats} times"
        return f", and delivered again {times}"

    @property
    def reason(self) -> str:
        """The reason why it was not handled."""
        if reason := self.rejected or self.undelivered:
            return reason
        if self.failures:
            return self.failures[-1].reason
        return NOT_LOGGED


def deliveries(
    clients: Clients, stage: str, consumers: Iterable[Consumer], journey: Sequence[Entry]
) -> dict[str, list[Delivery]]:
    """Return the deliveries of each event to its consumers, by the event's id."""
    found: dict[str, list[Delivery]] = {entry.id: [] for entry in journey}
    sqs = clients.client("sqs")
    for consumer, events in _by_consumer(clients, consumers, journey):
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
    _find_undelivered(clients, stage, journey, found)
    return found


def _find_undelivered(
    clients: Clients,
    stage: str,
    journey: Sequence[Entry],
    found: Mapping[str, Sequence[Delivery]],
) -> None:
    """Search the dead-letter queues of rules and relays for events that were not delivered."""
    late = datetime.now(UTC) - LATE
    missing: dict[str, dict[str, Delivery]] = defaultdict(dict)
    for entry in journey:
        for delivery in found[entry.id]:
            if entry.published_at < late and delivery.is_missing:
                missing[delivery.consumer][entry.id] = delivery
    if not missing:
        return  # finding these queues takes longer than all the rest
    for queue in queues(clients, stage):
        awaited = missing.get(queue.owner)
        if not awaited or not queue.count or queue.kind not in ("delivery", "relay"):
            continue
        dead_letters = _dead_letters(clients.client("sqs"), queue.url, awaited.keys(), queue.count)
        for event_id, error in dead_letters.items():
            reason = error.reason if error else NOT_RELAYED if queue.kind == "relay" else UNKNOWN
            awaited[event_id].undelivered = f"{reason} (it waits in {queue.name})"
            awaited[event_id].dead_at = error.last if error else None


def _by_consumer(
    clients: Clients, consumers: Iterable[Consumer], journey: Sequence[Entry]
) -> Iterator[tuple[Consumer, dict[str, Delivery]]]:
    """Yield each consumer of the journey's events, with its deliveries by event id."""
    subscribed = [
        (consumer, {entry.id for entry in journey if consumer.takes(entry.as_delivered)})
        for consumer in consumers
    ]
    receiving = [(consumer, ids) for consumer, ids in subscribed if ids]
    correlation = journey[0].correlation_id
    since = min(entry.published_at for entry in journey)
    logs = clients.client("logs")
    with ThreadPoolExecutor() as pool:
        read = [pool.submit(_lines, logs, each, correlation, since) for each, _ in receiving]
        for (consumer, ids), logged in zip(receiving, read, strict=True):
            yield consumer, _logged_deliveries(consumer.name, ids, logged.result())


def _lines(logs: Any, consumer: Consumer, correlation: str, since: datetime) -> list[Line]:
    """Return the consumer's log lines about the journey."""
    logged = lines(logs, consumer.log_group, f'"{correlation}"', since)
    return [line for line in logged if line.get("correlation_id") == correlation]


def _logged_deliveries(
    consumer: str, ids: Iterable[str], logged: Sequence[Line]
) -> dict[str, Delivery]:
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
    """Return the events of these ids that are in a dead-letter queue, with their errors."""
    if not ids:
        return {}
    messages = sample_messages(sqs, url, MAX_DEAD_LETTERS, count)
    dead = {_event_id(message): own_error(message) for message in messages}
    return {key: error for key, error in dead.items() if key in ids}


def _event_id(message: Message) -> str:
    metadata = object_in(object_in(parse_object(message["Body"]), "detail"), "metadata")
    return text_in(metadata, "id") or ""
