"""Lambda's poller for SQS: it reads a queue in batches, and deletes handled messages."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moto.sqs.models import Message

from patchbay.testkit.aws.function import Answer, Function, Lambda
from patchbay.testkit.aws.queue import Queue, Received, record_of
from patchbay.testkit.clock import Clock, Turn
from patchbay.testkit.faults import Faults
from patchbay.testkit.history import History
from patchbay.topology.event_pattern import EventPattern

DEFAULT_BATCH_SIZE = 10
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024  # Lambda's own limit for an invocation
MAX_CONCURRENCY = 1000  # batches at once, if the mapping sets no maximum
THROTTLED_RETRY = 1.0  # seconds before the same batch is retried, doubling each time


@dataclass(frozen=True)
class QueueMapping:
    """An event source mapping for a queue, as its template defines it."""

    function: Function
    queue: Queue
    enabled: bool
    batch_size: int
    window: float  # seconds to gather a batch
    max_concurrency: int
    partial: bool  # whether the function reports the failures of a batch
    filters: Sequence[EventPattern]


class Poller:
    """The poller of one event source mapping for a queue."""

    def __init__(
        self,
        clock: Clock,
        functions: Lambda,
        faults: Faults,
        history: History,
        mapping: QueueMapping,
        seed: int,
    ) -> None:
        self._clock = clock
        self._functions = functions
        self._faults = faults
        self._history = history
        self._chance = random.Random(f"{seed}/{mapping.queue.name}")
        self.mapping = mapping
        self._gathered: list[Message] = []
        self._gathered_since = 0.0
        self._running = 0
        self._wake_at: float | None = None

    def wake(self, moment: float | None = None) -> None:
        """Schedule the next poll. Call it when the queue has changed.

        `moment` is the time of the next message, if the caller knows it.
        """
        if not self.mapping.enabled or self._running >= self.mapping.max_concurrency:
            return
        now = self._clock.now
        if self._wake_at == now:
            return
        if moment is None:
            moment = self.mapping.queue.next_at()
        if moment is None:
            return
        moment = max(moment, now)
        if self._wake_at is not None and now <= self._wake_at <= moment:
            return
        self._wake_at = moment
        self._clock.at(moment, self._poll, Turn.POLL)

    def _poll(self) -> None:
        self._wake_at = None
        while self._running < self.mapping.max_concurrency:
            batch = self._next_batch()
            if not batch:
                break
            self._start(batch)
        self.wake()

    def _next_batch(self) -> list[Message]:
        wanted = self.mapping.batch_size - len(self._gathered)
        received = self.mapping.queue.receive(wanted, self._reordering())
        self._record(received)
        messages = [each for each in received.messages if not self._filters_out(each)]
        if not self.mapping.window:
            return self._within_payload(messages)
        return self._gather(messages)

    def _gather(self, messages: list[Message]) -> list[Message]:
        """Keep the messages until the batch is full or its window has passed."""
        if messages and not self._gathered:
            self._gathered_since = self._clock.now
            self._clock.at(self._clock.now + self.mapping.window, self._poll, Turn.POLL)
        self._gathered = self._within_payload(self._gathered + messages)
        full = len(self._gathered) >= self.mapping.batch_size
        if not full and self._clock.now < self._gathered_since + self.mapping.window:
            return []
        batch, self._gathered = self._gathered, []
        return batch

    def _within_payload(self, messages: list[Message]) -> list[Message]:
        """Return the messages that fit in an invocation; the rest can be received at once."""
        size = 0
        for count, message in enumerate(messages):
            size += len(json.dumps(record_of(message, self.mapping.queue)))
            if count and size > MAX_PAYLOAD_BYTES:
                for rest in messages[count:]:
                    rest.visible_at = 0.0
                    rest.approximate_receive_count -= 1
                return messages[:count]
        return messages

    def _start(self, batch: list[Message]) -> None:
        self._running += 1
        deadline = self._clock.now + self.mapping.queue.visibility_timeout
        self._invoke(batch, deadline, THROTTLED_RETRY)

    def _invoke(self, batch: list[Message], deadline: float, wait: float) -> None:
        if self._functions.throttles(self.mapping.function):
            self._retry_throttled(batch, deadline, wait)
            return
        event = {"Records": [record_of(message, self.mapping.queue) for message in batch]}
        answer = self._functions.invoke(self.mapping.function, event)
        if answer.ended > self._clock.now:
            self._clock.at(answer.ended, lambda: self._end(batch, answer))
        else:
            self._finish(batch, answer)

    def _retry_throttled(self, batch: list[Message], deadline: float, wait: float) -> None:
        """Retry a throttled batch until its visibility timeout ends."""
        self._history.throttled(self.mapping.queue, batch)
        again = self._clock.now + wait
        if again < deadline:
            self._clock.at(again, lambda: self._invoke(batch, deadline, 2 * wait), Turn.POLL)
        else:
            self._clock.at(deadline, self._give_up, Turn.POLL)

    def _give_up(self) -> None:
        self._running -= 1
        self.wake()

    def _end(self, batch: list[Message], answer: Answer) -> None:
        self._finish(batch, answer)
        self.wake()

    def _finish(self, batch: list[Message], answer: Answer) -> None:
        self._running -= 1
        failed, reason = self._failed(batch, answer)
        for message in batch:
            if message.id not in failed:
                self.mapping.queue.delete(message)
        self._history.processed(self.mapping.queue, batch, failed, reason, answer)

    def _failed(self, batch: list[Message], answer: Answer) -> tuple[set[str], str | None]:
        """Return the ids of the failed messages, and the reason if the whole batch failed."""
        everything = {message.id for message in batch}
        if answer.error is not None:
            return everything, answer.error
        if not self.mapping.partial:
            return set(), None
        try:
            named = _reported(answer.payload)
        except ValueError as error:
            return everything, str(error)
        if unknown := named - everything:
            return (
                everything,
                f"the response names {sorted(unknown)}, which the batch does not have",
            )
        return named, None

    def _filters_out(self, message: Message) -> bool:
        """Delete a message that matches no filter of the mapping, as Lambda does."""
        if not self.mapping.filters:
            return False
        record = record_of(message, self.mapping.queue)
        if any(_passes(pattern, record) for pattern in self.mapping.filters):
            return False
        self.mapping.queue.delete(message)
        self._history.filtered(self.mapping.queue, message)
        return True

    def _reordering(self) -> random.Random | None:
        faults = self._faults.of(self.mapping.function.short_name, self._clock.now)
        return self._chance if any(fault.reorders for fault in faults) else None

    def _record(self, received: Received) -> None:
        for message in received.dead:
            self._history.died(self.mapping.queue, message)
        for message in received.expired:
            self._history.expired(self.mapping.queue, message)


def _reported(payload: Any) -> set[str]:
    """Return the ids that a response reports as failed. Raise ValueError if it is invalid."""
    if payload is None:
        return set()
    if not isinstance(payload, dict):
        raise ValueError(f"the response is no batch response: {payload!r:.100}")
    failures = payload.get("batchItemFailures")
    if failures is None:
        return set()
    if not isinstance(failures, list):
        raise ValueError(f"batchItemFailures is no list: {failures!r:.100}")
    return {_identifier(failure) for failure in failures}


def _identifier(failure: Any) -> str:
    found = failure.get("itemIdentifier") if isinstance(failure, dict) else None
    if not isinstance(found, str) or not found:
        raise ValueError(f"the response reports a failure without an itemIdentifier: {failure!r}")
    return found


def _passes(pattern: EventPattern, record: dict[str, Any]) -> bool:
    """Return whether a record matches a filter. A JSON body is matched as JSON."""
    try:
        body = json.loads(record["body"])
    except ValueError:
        body = record["body"]
    return pattern.matches(json.dumps(record | {"body": body}))
