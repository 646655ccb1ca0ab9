"""What each consumer did with each event of a journey: from its log, and its dead letters."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.browse import look
from patchbay.operations.dead_letters.message import (
    UNKNOWN,
    UNRELAYED,
    UNTOLD,
    Cause,
    Message,
    object_in,
    own_cause,
    parsed,
    text_in,
)
from patchbay.operations.dead_letters.queues import queues
from patchbay.operations.journeys.executions import Run, run
from patchbay.operations.journeys.journal import Entry
from patchbay.operations.log_lines import Line, lines
from patchbay.topology.consumers import Consumer

MOST_LETTERS = 300  # that are looked through for an event, of each consumer
LATE = timedelta(minutes=1)  # after which it is asked whether an event was not delivered


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
    """How often it came again, and was skipped or changed nothing."""
    is_dead: bool = False
    """Whether it is among the dead letters now."""
    dead_at: datetime | None = None
    """When it was given up, as far as that is known."""
    rejected: str | None = None
    """Why it was rejected at once, if that is how it became a dead letter."""
    undelivered: str | None = None
    """Why it has never come to the consumer, if it waits where such letters are left."""
    run: Run | None = None
    """The workflow that was started for it, if that is what the consumer does."""

    @property
    def is_missing(self) -> bool:
        """Whether nothing is known of it with this consumer."""
        return not (self.handled_at or self.repeats or self.failures or self.is_dead)

    @property
    def again(self) -> str:
        """What there is to say of its repeats, as a sentence goes on; empty where it has none."""
        if not self.repeats:
            return ""
        return ", and came again " + ("once" if self.repeats == 1 else f"{self.repeats} times")

    @property
    def why(self) -> str:
        """Why it has not been handled."""
        if told := self.rejected or self.undelivered:
            return told
        if self.failures:
            return self.failures[-1].reason
        return UNTOLD


def handlings(
    clients: Clients, stage: str, consumers: Iterable[Consumer], journey: Sequence[Entry]
) -> dict[str, list[Handling]]:
    """Of each event, by its id: what each consumer that is given it did, by their names."""
    found: dict[str, list[Handling]] = {entry.id: [] for entry in journey}
    sqs = clients.client("sqs")
    for consumer, events in _takers(clients, consumers, journey):
        for event_id, handling in events.items():
            found[event_id].append(handling)
        unhandled = {key for key, each in events.items() if each.handled_at is None}
        for event_id, cause in _letters(sqs, consumer.dead_letters_url, unhandled).items():
            dead = events[event_id]
            dead.is_dead = True
            dead.rejected = cause.reason if cause else None
            last = dead.failures[-1].at if dead.failures else None
            dead.dead_at = cause.last if cause else last
        if arn := consumer.workflow_arn:
            for event_id in events.keys() - unhandled:
                events[event_id].run = run(clients, arn, event_id)
    _look_for_undelivered(clients, stage, journey, found)
    return found


def _look_for_undelivered(
    clients: Clients,
    stage: str,
    journey: Sequence[Entry],
    found: Mapping[str, Sequence[Handling]],
) -> None:
    """Find out what has never come to its consumers, and where it waits instead."""
    late = datetime.now(UTC) - LATE
    missing: dict[str, dict[str, Handling]] = defaultdict(dict)
    for entry in journey:
        for handling in found[entry.id]:
            if entry.published_at < late and handling.is_missing:
                missing[handling.consumer][entry.id] = handling
    if not missing:
        return  # to find these queues takes longer than all the rest
    for queue in queues(clients, stage):
        awaited = missing.get(queue.owner)
        if not awaited or not queue.count or queue.kind not in ("delivery", "relay"):
            continue
        letters = _letters(clients.client("sqs"), queue.url, awaited.keys(), queue.count)
        for event_id, cause in letters.items():
            why = cause.reason if cause else UNRELAYED if queue.kind == "relay" else UNKNOWN
            awaited[event_id].undelivered = f"{why} (it waits in {queue.name})"
            awaited[event_id].dead_at = cause.last if cause else None


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
        for (consumer, ids), told in zip(concerned, read, strict=True):
            yield consumer, _told(consumer.name, ids, told.result())


def _lines(logs: Any, consumer: Consumer, correlation: str, since: datetime) -> list[Line]:
    """What the consumer has logged about the journey."""
    logged = lines(logs, consumer.log_group, f'"{correlation}"', since)
    return [line for line in logged if line.get("correlation_id") == correlation]


def _told(consumer: str, ids: Iterable[str], logged: Sequence[Line]) -> dict[str, Handling]:
    found = {event_id: Handling(consumer) for event_id in ids}
    for line in sorted(logged, key=lambda line: line["at"]):
        handling = found.get(line.get("event_id", ""))
        if handling is None:
            continue
        match line.get("message"):
            case "handled" if handling.handled_at is None:
                handling.handled_at = line["at"]
            case "handled" | "already handled":
                handling.repeats += 1
            case "failed":
                failure = Failure(line["at"], int(line["attempt"]), line["reason"])
                handling.failures.append(failure)
    return found


def _letters(
    sqs: Any, url: str, ids: Collection[str], count: int | None = None
) -> dict[str, Cause | None]:
    """Which of these events wait in a dead-letter queue, and why. All of them stay there."""
    if not ids:
        return {}
    messages = look(sqs, url, MOST_LETTERS, count)
    dead = {_event_id(message): own_cause(message) for message in messages}
    return {key: cause for key, cause in dead.items() if key in ids}


def _event_id(message: Message) -> str:
    metadata = object_in(object_in(parsed(message["Body"]), "detail"), "metadata")
    return text_in(metadata, "id") or ""
