"""Dead letters, their queues, and the redrive targets of these."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Kind = Literal["handling", "delivery", "relay", "schedule", "stream", "unknown"]
"""The step that failed: a consumer, EventBridge's delivery, a consumer's relay, a schedule (or
Lambda on its behalf), a function that reads a stream, or nothing that is deployed."""
# The kind in words, after the owner's name.
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
    """A queue to which the messages are sent again."""

    url: str
    name: str
    is_fifo: bool
    group: str | None = None
    """The message group of all messages; None if each keeps its own."""

    def __str__(self) -> str:
        return f"queue {self.name}"


@dataclass(frozen=True)
class ToFunction:
    """A function that is invoked again, asynchronously, with each message's payload."""

    function: str

    def __str__(self) -> str:
        return f"function {self.function}, as a new run"


@dataclass(frozen=True)
class FromStream:
    """A function that gets the records again whose position each message names."""

    stream_arn: str
    function: str
    filters: tuple[str, ...]
    batch_size: int

    def __str__(self) -> str:
        return f"function {self.function}, with the records that the stream still has"


@dataclass(frozen=True)
class ToStream:
    """A stream to whose end the records are written whose position each message names."""

    stream_arn: str

    def __str__(self) -> str:
        return f"the end of stream {self.stream_arn.rpartition('/')[2]}"


@dataclass(frozen=True)
class NotRedrivable:
    """The target of a queue whose messages this tool can't redrive."""

    why: str

    def __str__(self) -> str:
        return f"nowhere: {self.why}"


RedriveTarget = ToQueue | ToFunction | FromStream | ToStream | NotRedrivable


@dataclass(frozen=True)
class DeadLetterQueue:
    """A dead-letter queue."""

    name: str
    """Its physical name."""
    url: str
    kind: Kind
    owner: str
    """The consumer, or the function, that it belongs to; without system and stage."""
    count: int
    """The approximate number of dead letters in it."""
    in_flight: int
    """Those of them that somebody is browsing or redriving: they can't be received now."""
    redrive_target: RedriveTarget
    log_group: str | None = None
    """The log group of the function that failed."""
    attempts: int | None = None
    """The maximum receive count after which SQS moves a message here, if SQS does that."""
    is_fifo: bool = False


@dataclass(frozen=True)
class DeadLetterEvent:
    """The event in a dead letter; a field that can't be read is None."""

    id: str | None
    type: str | None
    source: str | None
    journey: str | None
    """Its correlation id."""
    ids: Mapping[str, str]
    """The ids in its data, by field."""
    published_at: datetime | None
    data: Any


@dataclass(frozen=True)
class DeadLetter:
    """A message in a dead-letter queue. Its content may be hostile."""

    id: str
    """The message's id."""
    queue: DeadLetterQueue
    body: str
    event: DeadLetterEvent | None
    reason: str
    traceback: str | None
    attempts: int | None
    """The number of attempts; None if it is not known."""
    first: datetime
    """The time when it was published, or was sent to its first queue."""
    last: datetime | None
    """The time of its last failure; None if it is not known."""
    handle: str = field(repr=False, compare=False)
    """Its receipt handle, valid during its visibility timeout."""
    attributes: Mapping[str, Mapping[str, Any]] = field(repr=False)
    """Its message attributes, in SQS's format."""
    group: str | None = None
    """Its message group, in a FIFO queue."""


@dataclass(frozen=True)
class Group:
    """Dead letters with the same reason, apart from the ids and numbers in it."""

    reason: str
    """The reason, normalised."""
    dead_letters: tuple[DeadLetter, ...]


def grouped(dead_letters: Iterable[DeadLetter]) -> list[Group]:
    """Group dead letters by reason, the most frequent first."""
    groups: dict[str, list[DeadLetter]] = {}
    for dead_letter in dead_letters:
        groups.setdefault(normalised(dead_letter.reason), []).append(dead_letter)
    found = [Group(reason, tuple(members)) for reason, members in groups.items()]
    return sorted(found, key=lambda group: (-len(group.dead_letters), group.reason))


def as_json(dead_letter: DeadLetter) -> dict[str, Any]:
    """Return a dead letter as JSON: its error, and all that is needed to send it again by hand."""
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
MAX_GROUP = 300  # characters of a reason that are compared


def normalised(reason: str) -> str:
    """Replace each id and number in a reason by #, so that similar reasons are equal."""
    return _SPACES.sub(" ", _VARYING.sub("#", reason[: 4 * MAX_GROUP])).strip()[:MAX_GROUP]
