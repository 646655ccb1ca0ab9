"""A dead letter, the queue that it is in, and the destination to which it is redriven."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Kind = Literal["handling", "delivery", "relay", "schedule", "stream", "unknown"]
"""Which step gave up: a consumer, EventBridge, a consumer's relay, a schedule or Lambda on its
behalf, what reads a stream, or nobody that is deployed."""
# The same in words, after the owner's name.
WHERE: Mapping[Kind, str] = {
    "handling": "",
    "delivery": "not delivered",
    "relay": "not relayed",
    "schedule": "not run",
    "stream": "not processed",
    "unknown": "abandoned",
}


@dataclass(frozen=True)
class ToQueue:
    """Its messages are sent to a queue again."""

    url: str
    name: str
    is_fifo: bool
    group: str | None = None
    """The message group of all of them; where there is none, each has its own."""

    def __str__(self) -> str:
        return f"queue {self.name}"


@dataclass(frozen=True)
class ToFunction:
    """Its messages are invocations: each is invoked again, asynchronously."""

    function: str

    def __str__(self) -> str:
        return f"function {self.function}, as a new run"


@dataclass(frozen=True)
class FromStream:
    """Its messages are positions in a stream: the function gets those records again."""

    stream_arn: str
    function: str
    filters: tuple[str, ...]
    batch_size: int

    def __str__(self) -> str:
        return f"function {self.function}, with the records that the stream still has"


@dataclass(frozen=True)
class ToStream:
    """Its messages are positions in a stream: those records are written to its end again."""

    stream_arn: str

    def __str__(self) -> str:
        return f"the end of stream {self.stream_arn.rpartition('/')[2]}"


@dataclass(frozen=True)
class NotRedrivable:
    """Its messages can't be redriven by this tool."""

    why: str

    def __str__(self) -> str:
        return f"nowhere: {self.why}"


RedriveTarget = ToQueue | ToFunction | FromStream | ToStream | NotRedrivable


@dataclass(frozen=True)
class DeadLetterQueue:
    """A queue for what failed for good."""

    name: str
    """Its physical name."""
    url: str
    kind: Kind
    owner: str
    """The consumer, or the function, that it belongs to; without system and stage."""
    count: int
    """How many dead letters are in it, as SQS counts: about."""
    in_flight: int
    """Of these, how many somebody is looking at, or putting back: they can't be seen now."""
    redrive_target: RedriveTarget
    log_group: str | None = None
    """Where who failed has logged it."""
    attempts: int | None = None
    """After how many receives a message is moved here, where SQS does that."""
    is_fifo: bool = False


@dataclass(frozen=True)
class DeadLetterEvent:
    """The event in a dead letter, as far as it is one: what is not as it should be is None."""

    id: str | None
    type: str | None
    source: str | None
    journey: str | None
    """Its correlation id."""
    ids: Mapping[str, str]
    """The ids among its data, by field."""
    published_at: datetime | None
    data: Any


@dataclass(frozen=True)
class DeadLetter:
    """A message in a dead-letter queue. Whatever is in it may be hostile."""

    id: str
    """The message's own."""
    queue: DeadLetterQueue
    body: str
    event: DeadLetterEvent | None
    reason: str
    traceback: str | None
    attempts: int | None
    """How often it was tried; None where nobody knows."""
    first: datetime
    """When it was published, or was sent to the queue in which it died."""
    last: datetime | None
    """When it failed last; None where nobody knows."""
    handle: str = field(repr=False, compare=False)
    """By which it is deleted, as long as it is hidden."""
    attributes: Mapping[str, Mapping[str, Any]] = field(repr=False)
    """Its message attributes, as SQS gives them."""
    group: str | None = None
    """Its message group, in a FIFO queue."""


@dataclass(frozen=True)
class Group:
    """Dead letters that died for the same reason, but for the ids and numbers in it."""

    reason: str
    """As `normalised` has it."""
    dead_letters: tuple[DeadLetter, ...]


def grouped(dead_letters: Iterable[DeadLetter]) -> list[Group]:
    """Group dead letters by reason, the most frequent first."""
    groups: dict[str, list[DeadLetter]] = {}
    for dead_letter in dead_letters:
        groups.setdefault(normalised(dead_letter.reason), []).append(dead_letter)
    found = [Group(reason, tuple(those)) for reason, those in groups.items()]
    return sorted(found, key=lambda group: (-len(group.dead_letters), group.reason))


def as_json(dead_letter: DeadLetter) -> dict[str, Any]:
    """Return a dead letter as JSON: its error, and all that sending it again by hand takes."""
    event = dead_letter.event
    return {
        "id": dead_letter.id,
        "queue": dead_letter.queue.name,
        "owner": dead_letter.queue.owner,
        "redrive_target": str(dead_letter.queue.redrive_target),
        "event_id": event.id if event else None,
        "type": event.type if event else None,
        "journey": event.journey if event else None,
        "ids": dict(event.ids) if event else {},
        "reason": dead_letter.reason,
        "traceback": dead_letter.traceback,
        "attempts": dead_letter.attempts,
        "first": dead_letter.first.isoformat(),
        "last": dead_letter.last.isoformat() if dead_letter.last else None,
        "group": dead_letter.group,
        "attributes": {
            name: value.get("StringValue", repr(value.get("BinaryValue")))
            for name, value in dead_letter.attributes.items()
        },
        "body": dead_letter.body,
    }


_UUID = r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}"
_HEX = r"\b(?=[0-9a-fA-F]*[0-9])(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{8,}\b"
_NUMBER = r"\d+(?:[.,:]\d+)*"
_VARYING = re.compile(f"{_UUID}|{_HEX}|{_NUMBER}")
_SPACES = re.compile(r"\s+")
MAX_GROUP = 300  # characters: what differs behind them does not make another group


def normalised(reason: str) -> str:
    """Replace each id and number in a reason by #, so that similar reasons are equal."""
    return _SPACES.sub(" ", _VARYING.sub("#", reason[: 4 * MAX_GROUP])).strip()[:MAX_GROUP]
