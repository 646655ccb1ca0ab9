"""The drain of dead-letter queues: each selected message is processed once, and deleted."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.browse import (
    MAX_BATCH,
    READ_PER_SECOND,
    make_visible,
    receive,
    with_last_errors,
)
from patchbay.operations.dead_letters.dead_letter import DeadLetter, DeadLetterQueue
from patchbay.operations.dead_letters.message import Message, parse_message
from patchbay.operations.dead_letters.queues import recounted
from patchbay.operations.dead_letters.selection import Selection, selected_queues

VISIBILITY_TIMEOUT = 60  # seconds in which a batch is processed and deleted
MAX_VISIBILITY_TIMEOUT = 12 * 60 * 60  # seconds: SQS's own limit

OnProgress = Callable[["DrainResult"], None]
"""Called with the result so far after every batch."""

Action = Callable[[Sequence[DeadLetter]], Mapping[str, str]]
"""Processes dead letters; returns the reasons of failures by id. Those are not deleted."""


@dataclass
class DrainResult:
    """The result of a queue's drain so far."""

    queue: DeadLetterQueue
    """The queue before the drain."""
    done: int = 0
    """The number that was processed or, in a dry run, would be."""
    failed: dict[str, str] = field(default_factory=dict)
    """The reasons of those that could not be processed, by id: they stay in the queue."""
    skipped: int = 0
    """The number that was not selected: they stay in the queue."""
    returned: int = 0
    """The number that was processed, and has failed again: they stay in the queue."""
    undeleted: int = 0
    """The number that was processed, but not deleted: processing them again does no harm."""
    blocked: str | None = None
    """The reason why no message of the queue can be processed, and what to do instead."""
    after: DeadLetterQueue | None = None
    """The queue after the drain; None if it is not known."""


@dataclass(frozen=True)
class QueueAction:
    """The action for a queue's dead letters, or the reason why there is none."""

    action: Action | None = None
    has_returned: Callable[[Message], bool] = lambda message: False
    """Returns True for a message that was processed before, and has failed again."""
    blocked: str | None = None


class Pace:
    """A limit of dead letters a second."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._next = time.monotonic()

    @property
    def at_once(self) -> int:
        """The largest batch that the rate allows."""
        return MAX_BATCH if self._rate is None else max(1, min(MAX_BATCH, int(self._rate)))

    def seconds(self, dead_letters: int) -> float:
        """Return the minimum time for a number of dead letters."""
        return dead_letters / self._rate if self._rate else 0

    def wait(self) -> None:
        """Wait until the rate allows the next batch."""
        time.sleep(max(0.0, self._next - time.monotonic()))

    def passed(self, dead_letters: int) -> None:
        """Count dead letters that were processed."""
        self._next = max(self._next, time.monotonic()) + self.seconds(dead_letters)


class _Drain:
    """One pass over a queue. A dead letter that fails again meanwhile is not processed twice."""

    def __init__(
        self,
        clients: Clients,
        result: DrainResult,
        selection: Selection,
        action: Action,
        has_returned: Callable[[Message], bool],
        *,
        explain: bool,
        dry_run: bool,
        visibility_timeout: int,
    ) -> None:
        self._result = result
        self._clients = clients
        self._sqs: Any = clients.client("sqs")
        self._queue = result.queue
        self._selection = selection
        self._action = action
        self._has_returned = has_returned
        self._explains = explain or selection.needs_reasons
        self._dry_run = dry_run
        self._visibility_timeout = visibility_timeout
        self._remaining: dict[str, Message] = {}
        self._processed: set[str] = set()

    def run(self, limit: int | None, pace: Pace, on_progress: Callable[[], None]) -> None:
        """Process at most `limit` dead letters; `on_progress` is called after every batch."""
        visibility_timeout = self._long_enough(limit, pace)
        try:
            while limit is None or self._result.done < limit:
                pace.wait()
                left = MAX_BATCH if limit is None else limit - self._result.done
                most = min(pace.at_once, left)
                messages = receive(self._sqs, self._queue.url, most, visibility_timeout)
                if all(message["MessageId"] in self._remaining for message in messages):
                    break
                before = self._result.done
                self._process(messages)
                pace.passed(self._result.done - before)
                on_progress()
        finally:
            # If this fails too, they are visible again after their visibility timeout.
            with suppress(BotoCoreError, ClientError):
                make_visible(self._sqs, self._queue.url, self._remaining.values())

    def _long_enough(self, limit: int | None, pace: Pace) -> int:
        """Return a visibility timeout with which no remaining message is received twice."""
        if self._selection.selects_all and not self._dry_run:
            return self._visibility_timeout
        count = self._queue.count
        seconds = count / READ_PER_SECOND + pace.seconds(min(count, limit or count))
        return min(MAX_VISIBILITY_TIMEOUT, max(self._visibility_timeout, int(seconds)))

    def _process(self, messages: Sequence[Message]) -> None:
        known = self._remaining.keys() | self._processed
        new = [message for message in messages if message["MessageId"] not in known]
        self._delete([each for each in messages if each["MessageId"] in self._processed])
        # Each remains until its action is confirmed. A message that is received again has a new
        # receipt handle, which replaces the old one here.
        self._remaining |= {message["MessageId"]: message for message in messages}
        returned = [message for message in new if self._has_returned(message)]
        self._result.returned += len(returned)
        new = [message for message in new if message not in returned]
        if self._explains:
            dead_letters = with_last_errors(self._clients, self._queue, new)
        else:
            dead_letters = [parse_message(message, self._queue) for message in new]
        selected = [each for each in dead_letters if self._selection.selects(each)]
        self._result.skipped += len(dead_letters) - len(selected)
        if self._dry_run:
            self._result.done += len(selected)
        elif selected:
            self._act_on(selected)

    def _act_on(self, dead_letters: Sequence[DeadLetter]) -> None:
        failed = self._action(dead_letters)
        self._result.failed |= failed
        done = [each.id for each in dead_letters if each.id not in failed]
        self._result.done += len(done)
        self._result.undeleted += len(done)
        self._processed |= set(done)
        self._delete([self._remaining.pop(each) for each in done])

    def _delete(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        entries = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(messages)
        ]
        answer = self._sqs.delete_message_batch(QueueUrl=self._queue.url, Entries=entries)
        self._result.undeleted -= len(messages) - len(answer.get("Failed", []))


def drain(
    clients: Clients,
    stage: str,
    selection: Selection,
    action_for: Callable[[DeadLetterQueue], QueueAction],
    *,
    limit: int | None,
    rate: float | None = None,
    explain: bool = False,
    dry_run: bool,
    on_progress: OnProgress,
    visibility_timeout: int = VISIBILITY_TIMEOUT,
) -> list[DrainResult]:
    """Drain each selected queue that has dead letters.

    Raises UserError, and botocore's errors if a request fails: `on_progress` has been called with
    the results so far.
    """
    pace = Pace(rate)
    results: list[DrainResult] = []
    for queue in selected_queues(clients, stage, selection.owner):
        left = None if limit is None else limit - sum(each.done for each in results)
        if not queue.count or left == 0:
            continue
        result = DrainResult(queue)
        results.append(result)
        todo = action_for(queue)
        if todo.action is None:
            result.blocked = todo.blocked
        else:
            draining = _Drain(
                clients, result, selection, todo.action, todo.has_returned,
                explain=explain, dry_run=dry_run, visibility_timeout=visibility_timeout,
            )  # fmt: skip
            draining.run(left, pace, partial(on_progress, result))
            result.after = recounted(clients, queue)
        on_progress(result)
    return results
