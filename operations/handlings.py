"""What each consumer did with each event of a journey: from its log, and its dead letters."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from operations.clients import Clients
from operations.consumers import Consumer
from operations.journal import Entry
from operations.letter import UNTOLD, Message, object_in, own_cause, parsed, text_in
from operations.log_lines import Line, lines
from operations.peek import look

MOST_LETTERS = 1000  # that are looked through for an event, of each consumer


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
        return UNTOLD


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
    messages = look(clients.client("sqs"), consumer.dead_letters_url, MOST_LETTERS)
    dead = {_event_id(message): own_cause(message) for message in messages}
    return {key: cause.reason if cause else None for key, cause in dead.items() if key in ids}


def _event_id(message: Message) -> str:
    metadata = object_in(object_in(parsed(message["Body"]), "detail"), "metadata")
    return text_in(metadata, "id") or ""
