"""Lambda's poller for SQS: reads a queue in batches, and deletes what its function has handled."""

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
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024  # of an invocation: Lambda's own limit
MAX_CONCURRENCY = 1000  # batches at once, where the mapping sets no maximum
THROTTLED_RETRY = 1.0  # seconds before the same batch is tried again, doubling each time


@dataclass(frozen=True)
class QueueMapping:
    """What the template says of an event source mapping for a queue."""

    function: Function
    queue: Queue
    enabled: bool
    batch_size: int
    window: float  # seconds in which a batch is gathered
    max_concurrency: int
    partial: bool  # whether the function reports which of a batch failed
    filters: Sequence[EventPattern]


class Poller:
    """Polls one queue for one function, as its mapping says."""

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
        self._at_work = 0
        self._wake_at: float | None = None

    def wake(self, moment: float | None = None) -> None:
        """Look when there is something to receive: to be called when the queue has changed.

        `moment` is when, where the caller knows; otherwise the queue is asked.
        """
        if not self.mapping.enabled or self._at_work >= self.mapping.max_concurrency:
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
        while self._at_work < self.mapping.max_concurrency:
            batch = self._next_batch()
            if not batch:
                break
            self._start(batch)
        self.wake()

    def _next_batch(self) -> list[Message]:
        wanted = self.mapping.batch_size - len(self._gathered)
        received = self.mapping.queue.receive(wanted, self._disorder())
        self._tell(received)
        messages = [each for each in received.messages if not self._filters_out(each)]
        if not self.mapping.window:
            return self._within_payload(messages)
        return self._gather(messages)

    def _gather(self, messages: list[Message]) -> list[Message]:
        """Keep them until the batch is full or its window has passed."""
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
        """As many as an invocation takes; the others can be received again at once."""
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
        self._at_work += 1
        gives_up = self._clock.now + self.mapping.queue.visibility_timeout
        self._invoke(batch, gives_up, THROTTLED_RETRY)

    def _invoke(self, batch: list[Message], gives_up: float, wait: float) -> None:
        if self._functions.throttles(self.mapping.function):
            self._wait_for_a_turn(batch, gives_up, wait)
            return
        event = {"Records": [record_of(message, self.mapping.queue) for message in batch]}
        answer = self._functions.invoke(self.mapping.function, event)
        if answer.ended > self._clock.now:
            self._clock.at(answer.ended, lambda: self._end(batch, answer))
        else:
            self._finish(batch, answer)

    def _wait_for_a_turn(self, batch: list[Message], gives_up: float, wait: float) -> None:
        """Try the batch again for as long as it is hidden; then it is back in the queue."""
        self._history.throttled(self.mapping.queue, batch)
        again = self._clock.now + wait
        if again < gives_up:
            self._clock.at(again, lambda: self._invoke(batch, gives_up, 2 * wait), Turn.POLL)
        else:
            self._clock.at(gives_up, self._give_up, Turn.POLL)

    def _give_up(self) -> None:
        self._at_work -= 1
        self.wake()

    def _end(self, batch: list[Message], answer: Answer) -> None:
        self._finish(batch, answer)
        self.wake()

    def _finish(self, batch: list[Message], answer: Answer) -> None:
        self._at_work -= 1
        failed, reason = self._failed(batch, answer)
        for message in batch:
            if message.id not in failed:
                self.mapping.queue.delete(message)
        self._history.processed(self.mapping.queue, batch, failed, reason, answer)

    def _failed(self, batch: list[Message], answer: Answer) -> tuple[set[str], str | None]:
        """The ids of the messages that stay in the queue, and why if it concerns all of them."""
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
        """Delete what no filter of the mapping passes, as Lambda does."""
        if not self.mapping.filters:
            return False
        record = record_of(message, self.mapping.queue)
        if any(_passes(pattern, record) for pattern in self.mapping.filters):
            return False
        self.mapping.queue.delete(message)
        self._history.filtered(self.mapping.queue, message)
        return True

    def _disorder(self) -> random.Random | None:
        faults = self._faults.of(self.mapping.function.short_name, self._clock.now)
        return self._chance if any(fault.reorders for fault in faults) else None

    def _tell(self, received: Received) -> None:
        for message in received.dead:
            self._history.died(self.mapping.queue, message)
        for message in received.expired:
            self._history.expired(self.mapping.queue, message)


def _reported(payload: Any) -> set[str]:
    """The ids that a response reports as failed; raises ValueError where it is none."""
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
    """Whether a filter passes a record. A body that is JSON is matched as such."""
    try:
        body = json.loads(record["body"])
    except ValueError:
        body = record["body"]
    return pattern.matches(json.dumps(record | {"body": body}))
