"""The history of a cloud: every event, with its deliveries and their states."""

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
    """The state of a delivery."""

    WAITING = "waiting in the queue"
    HANDLED = "handled"
    DEAD = "in the dead-letter queue"
    FILTERED = "filtered out by its mapping"
    EXPIRED = "LOST: it was older than its queue's retention period"
    LOST = "LOST: Lambda gave it up, and the function has no dead-letter queue or destination"
    REDRIVEN = "redriven to the queue"


@dataclass
class Published:
    """An event that EventBridge accepted."""

    id: str  # of the event, or EventBridge's own if it has none
    type: str
    source: str
    at: float  # seconds since the epoch
    by: str  # the function that published it, or "the test"
    detail: Any
    bus: str = ""
    text: str = ""  # as EventBridge delivers it
    deliveries: list["Delivery"] = field(default_factory=list)
    undelivered: dict[str, str] = field(default_factory=dict)  # why, by the queue's name

    @property
    def data(self) -> Any:
        return self.detail.get("data") if isinstance(self.detail, dict) else None


@dataclass
class Delivery:
    """A message in a queue, or an event that a function is invoked with."""

    id: str
    queue: str
    event_id: str
    event_type: str
    at: float
    fate: Fate = Fate.WAITING
    failures: list[tuple[float, str]] = field(default_factory=list)
    ended: float | None = None

    @property
    def last_error(self) -> str | None:
        """The error of its last attempt."""
        return self.failures[-1][1] if self.failures else None


class History:
    """The record of all that happens in a cloud."""

    def __init__(self, clock: Clock, short: Callable[[str], str]) -> None:
        self._clock = clock
        self._short = short
        self._lines: list[str] = []
        self.published: list[Published] = []
        self.deliveries: dict[str, Delivery] = {}
        self.executions: list[Any] = []
        self._lost: list[tuple[str, str, str, str]] = []

    @property
    def log(self) -> str:
        """Everything in order, one line each."""
        return "\n".join(self._lines)

    def has_published(self, event: Published) -> None:
        self.published.append(event)
        self._add_line(event.by, "published", event.type, event.id)

    def arrived(self, event: Published, queue: Queue, message_id: str) -> None:
        delivery = Delivery(message_id, queue.name, event.id, event.type, self._clock.now)
        self.deliveries[message_id] = delivery
        event.deliveries.append(delivery)
        self._add_line(queue.name, "received", event.type, event.id)

    def arrived_at_function(self, event: Published, function: str) -> Delivery:
        """Record an event that EventBridge delivers to a function without a queue."""
        delivery_id = f"{function} {event.id} {len(event.deliveries)}"
        delivery = Delivery(delivery_id, function, event.id, event.type, self._clock.now)
        self.deliveries[delivery_id] = delivery
        event.deliveries.append(delivery)
        self._add_line(function, "received", event.type, event.id)
        return delivery

    def handled(self, delivery: Delivery) -> None:
        self._end(delivery, Fate.HANDLED)

    def failed(self, delivery: Delivery, why: str) -> None:
        self._fail(delivery, why)

    def given_up(self, delivery: Delivery) -> None:
        self._end(delivery, Fate.DEAD)

    def lost_for(self, delivery: Delivery, why: str) -> None:
        """Record an event that a function failed on after all retries, and that nothing keeps."""
        self._lost.append((delivery.queue, delivery.event_type, delivery.event_id, why))
        self._end(delivery, Fate.LOST)

    def sent(self, queue: str, message_id: str, body: str) -> Delivery:
        """Record a message that did not come from EventBridge."""
        event_id, event_type = _event_in(body)
        delivery = Delivery(message_id, queue, event_id, event_type, self._clock.now)
        self.deliveries[message_id] = delivery
        self._add_line(queue, "received", event_type, event_id)
        return delivery

    def not_delivered(self, event: Published, queue: str, why: str) -> None:
        event.undelivered[queue] = why
        self._add_line(queue, "was not delivered", event.type, event.id, why)

    def unmatched(self, event: Published, why: str) -> None:
        self._add_line("the bus", "has no rule for", event.type, event.id, why)

    def throttled(self, queue: Queue, batch: Iterable[Message]) -> None:
        for message in batch:
            delivery = self.deliveries[message.id]
            self._fail(delivery, "Lambda throttled the function")

    def processed(
        self,
        queue: Queue,
        batch: Iterable[Message],
        failed: set[str],
        reason: str | None,
        answer: Answer,
    ) -> None:
        logged = {line["message_id"]: line for line in answer.log if "message_id" in line}
        for message in batch:
            delivery = self.deliveries[message.id]
            line = logged.get(message.id, {})
            if message.id in failed:
                self._fail(delivery, reason or str(line.get("reason", "it reported a failure")))
            elif line.get("message") == "rejected":
                self._fail(delivery, str(line.get("reason")))
                self._end(delivery, Fate.DEAD)
            else:
                self._end(delivery, Fate.HANDLED)

    def died(self, queue: Queue, message: Message) -> None:
        self._end(self.deliveries[message.id], Fate.DEAD)

    def expired(self, queue: Queue, message: Message) -> None:
        delivery = self.deliveries[message.id]
        self._lost.append((queue.name, delivery.event_type, delivery.event_id, Fate.EXPIRED.value))
        self._end(delivery, Fate.EXPIRED)

    def dropped(self, queue: str, event_type: str, event_id: str, why: str) -> None:
        """Record an event that is lost before it was handled."""
        self._lost.append((queue, event_type, event_id, why))
        self._add_line(queue, "LOST", event_type, event_id, why)

    def filtered(self, queue: Queue, message: Message) -> None:
        self._end(self.deliveries[message.id], Fate.FILTERED)

    def redriven(self, queue: str, old_id: str, new_id: str, body: str) -> None:
        if old_id in self.deliveries:
            self._end(self.deliveries[old_id], Fate.REDRIVEN)
        delivery = self.sent(queue, new_id, body)
        self.delivered(delivery)

    def delivered(self, delivery: Delivery) -> None:
        """Record a message with an event that did not come from EventBridge directly."""
        for event in self.published:
            if event.id == delivery.event_id and event.type == delivery.event_type:
                event.deliveries.append(delivery)

    def note(self, who: str, *words: str) -> None:
        """Add one line."""
        self._add_line(who, *words)

    def lost(self) -> list[str]:
        """Return one sentence for each event or message that is lost."""
        return [
            f"{self._short(queue)} lost {event_type} {event_id}: {why}"
            for queue, event_type, event_id, why in self._lost
        ]

    def render(self, limit: int = 40) -> str:
        """Format the published events, with their deliveries and their states."""
        lines = [f"It is {_time(self._clock.now)}. {len(self.published)} events were published."]
        for event in self.published[-limit:]:
            lines.append(f"{_time(event.at)}  {event.type} {event.id}, by {self._short(event.by)}")
            lines += [f"    {self._short(each.queue)}: {_now(each)}" for each in event.deliveries]
            lines += [
                f"    {self._short(queue)}: NOT DELIVERED: {why}"
                for queue, why in event.undelivered.items()
            ]
            if not event.deliveries and not event.undelivered:
                lines.append("    no target received it")
        if self.executions:
            lines.append(f"{len(self.executions)} executions were started.")
        for execution in self.executions[-limit:]:
            lines.append(f"{_time(execution.started)}  {execution}")
        if len(self.published) > limit:
            lines.insert(1, f"(the last {limit} of them)")
        return "\n".join(lines)

    def _fail(self, delivery: Delivery, why: str) -> None:
        delivery.failures.append((self._clock.now, why))
        self._add_line(delivery.queue, "failed", delivery.event_type, delivery.event_id, why)

    def _end(self, delivery: Delivery, fate: Fate) -> None:
        delivery.fate, delivery.ended = fate, self._clock.now
        self._add_line(delivery.queue, fate.value, delivery.event_type, delivery.event_id)

    def _add_line(self, who: str, *words: str) -> None:
        self._lines.append(f"{_time(self._clock.now)}  {self._short(who)}  {'  '.join(words)}")


def _now(delivery: Delivery) -> str:
    text = delivery.fate.value
    if delivery.ended is not None:
        text += f" at {_time(delivery.ended)}"
    if delivery.failures:
        text += f", failed {len(delivery.failures)} times, the last with: {delivery.last_error}"
    return text


def _event_in(body: str) -> tuple[str, str]:
    """Return the event's id and type, if the text is an event."""
    try:
        delivered = json.loads(body)
        return event_id(delivered["detail"], str(delivered["id"])), str(delivered["detail-type"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "(no event)", repr(body[:60])


def event_id(detail: Any, otherwise: str) -> str:
    """Return the id in the event's metadata, or another one."""
    metadata = detail.get("metadata") if isinstance(detail, Mapping) else None
    found = metadata.get("id") if isinstance(metadata, Mapping) else None
    return str(found) if found is not None else otherwise


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%d %H:%M:%S.%f")[:-3]
