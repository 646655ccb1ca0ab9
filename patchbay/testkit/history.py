"""What happened in the cloud: every event, who got it, how often, and where it is now."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from moto.sqs.models import Message

from patchbay.testkit.aws.function import Answer
from patchbay.testkit.aws.queue import Queue
from patchbay.testkit.clock import Clock


class Fate(Enum):
    """Where a message is."""

    WAITING = "waits in the queue"
    HANDLED = "handled"
    DEAD = "in the dead letters"
    FILTERED = "filtered out by its mapping"
    EXPIRED = "LOST: it was older than its queue keeps messages"
    LOST = "LOST: Lambda gave it up, and the function has no dead-letter queue or destination"
    REDRIVEN = "put back into the queue"


@dataclass
class Published:
    """An event that EventBridge took."""

    id: str  # of the event, or EventBridge's own where it has none
    type: str
    source: str
    at: float  # seconds since the epoch
    by: str  # the function that published it, or "the test"
    detail: Any
    bus: str = ""
    text: str = ""  # as EventBridge delivers it
    deliveries: list["Letter"] = field(default_factory=list)
    undelivered: dict[str, str] = field(default_factory=dict)  # why, by the queue's name

    @property
    def data(self) -> Any:
        return self.detail.get("data") if isinstance(self.detail, dict) else None


@dataclass
class Letter:
    """A message in a queue."""

    id: str
    queue: str
    event_id: str
    event_type: str
    at: float
    fate: Fate = Fate.WAITING
    failures: list[tuple[float, str]] = field(default_factory=list)
    ended: float | None = None

    @property
    def why(self) -> str | None:
        """Why it failed last."""
        return self.failures[-1][1] if self.failures else None


class History:
    """Keeps what happened, and tells it."""

    def __init__(self, clock: Clock, short: Callable[[str], str]) -> None:
        self._clock = clock
        self._short = short
        self._lines: list[str] = []
        self.published: list[Published] = []
        self.letters: dict[str, Letter] = {}
        self.executions: list[Any] = []
        self._lost: list[tuple[str, str, str, str]] = []

    @property
    def log(self) -> str:
        """Everything, in its order, a line each."""
        return "\n".join(self._lines)

    def has_published(self, event: Published) -> None:
        self.published.append(event)
        self._say(event.by, "published", event.type, event.id)

    def arrived(self, event: Published, queue: Queue, message_id: str) -> None:
        letter = Letter(message_id, queue.name, event.id, event.type, self._clock.now)
        self.letters[message_id] = letter
        event.deliveries.append(letter)
        self._say(queue.name, "got", event.type, event.id)

    def arrived_at_function(self, event: Published, function: str) -> Letter:
        """An event that EventBridge gave to a function, past any queue."""
        letter_id = f"{function} {event.id} {len(event.deliveries)}"
        letter = Letter(letter_id, function, event.id, event.type, self._clock.now)
        self.letters[letter_id] = letter
        event.deliveries.append(letter)
        self._say(function, "got", event.type, event.id)
        return letter

    def handled(self, letter: Letter) -> None:
        self._end(letter, Fate.HANDLED)

    def failed(self, letter: Letter, why: str) -> None:
        self._fail(letter, why)

    def given_up(self, letter: Letter) -> None:
        self._end(letter, Fate.DEAD)

    def lost_for(self, letter: Letter, why: str) -> None:
        """A function failed on it for good, and nothing keeps it."""
        self._lost.append((letter.queue, letter.event_type, letter.event_id, why))
        self._end(letter, Fate.LOST)

    def sent(self, queue: str, message_id: str, body: str) -> Letter:
        """A message that came from elsewhere than EventBridge."""
        event_id, event_type = _event_in(body)
        letter = Letter(message_id, queue, event_id, event_type, self._clock.now)
        self.letters[message_id] = letter
        self._say(queue, "got", event_type, event_id)
        return letter

    def not_delivered(self, event: Published, queue: str, why: str) -> None:
        event.undelivered[queue] = why
        self._say(queue, "could not be given", event.type, event.id, why)

    def unmatched(self, event: Published, why: str) -> None:
        self._say("the bus", "has no rule for", event.type, event.id, why)

    def throttled(self, queue: Queue, batch: Iterable[Message]) -> None:
        for message in batch:
            letter = self.letters[message.id]
            self._fail(letter, "Lambda throttled the function")

    def processed(
        self,
        queue: Queue,
        batch: Iterable[Message],
        failed: set[str],
        reason: str | None,
        answer: Answer,
    ) -> None:
        said = {line["message_id"]: line for line in answer.log if "message_id" in line}
        for message in batch:
            letter = self.letters[message.id]
            line = said.get(message.id, {})
            if message.id in failed:
                self._fail(letter, reason or str(line.get("reason", "it reported a failure")))
            elif line.get("message") == "rejected":
                self._fail(letter, str(line.get("reason")))
                self._end(letter, Fate.DEAD)
            else:
                self._end(letter, Fate.HANDLED)

    def died(self, queue: Queue, message: Message) -> None:
        self._end(self.letters[message.id], Fate.DEAD)

    def expired(self, queue: Queue, message: Message) -> None:
        letter = self.letters[message.id]
        self._lost.append((queue.name, letter.event_type, letter.event_id, Fate.EXPIRED.value))
        self._end(letter, Fate.EXPIRED)

    def dropped(self, queue: str, event_type: str, event_id: str, why: str) -> None:
        """It is nowhere any more, though nobody has handled it."""
        self._lost.append((queue, event_type, event_id, why))
        self._say(queue, "LOST", event_type, event_id, why)

    def filtered(self, queue: Queue, message: Message) -> None:
        self._end(self.letters[message.id], Fate.FILTERED)

    def redriven(self, queue: str, old_id: str, new_id: str, body: str) -> None:
        if old_id in self.letters:
            self._end(self.letters[old_id], Fate.REDRIVEN)
        letter = self.sent(queue, new_id, body)
        self.delivered(letter)

    def delivered(self, letter: Letter) -> None:
        """A message that brings an event to a consumer, though not from EventBridge itself."""
        for event in self.published:
            if event.id == letter.event_id and event.type == letter.event_type:
                event.deliveries.append(letter)

    def note(self, who: str, *words: str) -> None:
        """One more line."""
        self._say(who, *words)

    def lost(self) -> list[str]:
        """What is nowhere any more, though nobody has handled it: a sentence each."""
        return [
            f"{self._short(queue)} lost {event_type} {event_id}: {why}"
            for queue, event_type, event_id, why in self._lost
        ]

    def render(self, limit: int = 40) -> str:
        """What was published, who got it, how often, and where each message is now."""
        lines = [f"It is {_time(self._clock.now)}. {len(self.published)} events were published."]
        for event in self.published[-limit:]:
            lines.append(f"{_time(event.at)}  {event.type} {event.id}, by {self._short(event.by)}")
            lines += [f"    {self._short(each.queue)}: {_now(each)}" for each in event.deliveries]
            lines += [
                f"    {self._short(queue)}: NOT DELIVERED: {why}"
                for queue, why in event.undelivered.items()
            ]
            if not event.deliveries and not event.undelivered:
                lines.append("    nobody got it")
        if self.executions:
            lines.append(f"{len(self.executions)} executions were started.")
        for execution in self.executions[-limit:]:
            lines.append(f"{_time(execution.started)}  {execution}")
        if len(self.published) > limit:
            lines.insert(1, f"(the last {limit} of them)")
        return "\n".join(lines)

    def _fail(self, letter: Letter, why: str) -> None:
        letter.failures.append((self._clock.now, why))
        self._say(letter.queue, "failed", letter.event_type, letter.event_id, why)

    def _end(self, letter: Letter, fate: Fate) -> None:
        letter.fate, letter.ended = fate, self._clock.now
        self._say(letter.queue, fate.value, letter.event_type, letter.event_id)

    def _say(self, who: str, *words: str) -> None:
        self._lines.append(f"{_time(self._clock.now)}  {self._short(who)}  {'  '.join(words)}")


def _now(letter: Letter) -> str:
    text = letter.fate.value
    if letter.ended is not None:
        text += f" at {_time(letter.ended)}"
    if letter.failures:
        text += f", having failed {len(letter.failures)} times, the last for: {letter.why}"
    return text


def _event_in(body: str) -> tuple[str, str]:
    """The event's id and type, as far as the text is an event."""
    try:
        delivered = json.loads(body)
        return event_id(delivered["detail"], str(delivered["id"])), str(delivered["detail-type"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "(no event)", repr(body[:60])


def event_id(detail: Any, otherwise: str) -> str:
    """The id in the event's envelope."""
    metadata = detail.get("metadata") if isinstance(detail, Mapping) else None
    found = metadata.get("id") if isinstance(metadata, Mapping) else None
    return str(found) if found is not None else otherwise


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%d %H:%M:%S.%f")[:-3]
