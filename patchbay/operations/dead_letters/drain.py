"""The drain of dead-letter queues: selected messages are processed and deleted, once."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.browse import (
    AT_A_TIME,
    make_visible,
    receive,
    with_last_errors,
)
from patchbay.operations.dead_letters.dead_letter import DeadLetter, DeadLetterQueue
from patchbay.operations.dead_letters.message import Message, parse_message
from patchbay.operations.dead_letters.queues import recounted
from patchbay.operations.dead_letters.selection import Selection, selected_queues

HIDDEN_FOR = 60  # seconds in which what was received is dealt with and deleted
LONGEST_HIDDEN = 12 * 60 * 60  # seconds: SQS's own limit
SEEN_A_SECOND = 20  # dead letters, at least

OnProgress = Callable[["DrainResult"], None]
"""Told after every few letters."""

Action = Callable[[Sequence[DeadLetter]], Mapping[str, str]]
"""Takes dead letters; returns by id why it failed on one. Those are not deleted."""


@dataclass
class DrainResult:
    """What has become of a queue's dead letters by now."""

    queue: DeadLetterQueue
    """As it was before."""
    done: int = 0
    """How many were dealt with, or, in a dry run, would be."""
    failed: dict[str, str] = field(default_factory=dict)
    """Why those stay that could not be dealt with, by their ids."""
    skipped: int = 0
    """Not selected: they stay."""
    returned: int = 0
    """Redriven before, and here again: they stay as well."""
    undeleted: int = 0
    """Dealt with, and yet still here: it does no harm to do it again."""
    blocked: str | None = None
    """Why nothing that is in it can be dealt with, and what to do instead."""
    after: DeadLetterQueue | None = None
    """As it was afterwards; None where that is not known."""


@dataclass(frozen=True)
class QueueAction:
    """What is to be done with a queue's dead letters, or why nothing can be."""

    action: Action | None = None
    has_returned: Callable[[Message], bool] = lambda message: False
    """Whether a message was dealt with before, and is here again."""
    blocked: str | None = None


class Pace:
    """Lets so many dead letters pass a second."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._next = time.monotonic()

    @property
    def at_once(self) -> int:
        """How many dead letters may pass together."""
        return AT_A_TIME if self._rate is None else max(1, min(AT_A_TIME, int(self._rate)))

    def seconds(self, dead_letters: int) -> float:
        """Return the least seconds that so many take."""
        return dead_letters / self._rate if self._rate else 0

    def wait(self) -> None:
        """Return when the next may pass."""
        time.sleep(max(0.0, self._next - time.monotonic()))

    def passed(self, dead_letters: int) -> None:
        """Count so many that have passed."""
        self._next = max(self._next, time.monotonic()) + self.seconds(dead_letters)


class _Drain:
    """One way through a queue. Dead letters that come back meanwhile are not dealt with again."""

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
        hidden_for: int,
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
        self._hidden_for = hidden_for
        self._stay: dict[str, Message] = {}
        self._gone: set[str] = set()

    def run(self, limit: int | None, pace: Pace, on_progress: Callable[[], None]) -> None:
        """Process at most `limit` dead letters; `on_progress` is called after every batch."""
        hidden_for = self._long_enough(limit, pace)
        try:
            while limit is None or self._result.done < limit:
                pace.wait()
                left = AT_A_TIME if limit is None else limit - self._result.done
                most = min(pace.at_once, left)
                messages = receive(self._sqs, self._queue.url, most, hidden_for)
                if all(message["MessageId"] in self._stay for message in messages):
                    break
                before = self._result.done
                self._look_at(messages)
                pace.passed(self._result.done - before)
                on_progress()
        finally:
            # Where that fails as well, they are seen again when their time is over.
            with suppress(BotoCoreError, ClientError):
                make_visible(self._sqs, self._queue.url, self._stay.values())

    def _long_enough(self, limit: int | None, pace: Pace) -> int:
        """Return the visibility timeout with which no message that stays is received twice."""
        if self._selection.selects_all and not self._dry_run:
            return self._hidden_for
        count = self._queue.count
        seconds = count / SEEN_A_SECOND + pace.seconds(min(count, limit or count))
        return min(LONGEST_HIDDEN, max(self._hidden_for, int(seconds)))

    def _look_at(self, messages: Sequence[Message]) -> None:
        known = self._stay.keys() | self._gone
        new = [message for message in messages if message["MessageId"] not in known]
        self._delete([each for each in messages if each["MessageId"] in self._gone])
        # Until it is known that they arrived, they stay, whatever happens. Those that were met
        # before have another handle now.
        self._stay |= {message["MessageId"]: message for message in messages}
        back = [message for message in new if self._has_returned(message)]
        self._result.returned += len(back)
        new = [message for message in new if message not in back]
        if self._explains:
            dead_letters = with_last_errors(self._clients, self._queue, new)
        else:
            dead_letters = [parse_message(message, self._queue) for message in new]
        meant = [each for each in dead_letters if self._selection.selects(each)]
        self._result.skipped += len(dead_letters) - len(meant)
        if self._dry_run:
            self._result.done += len(meant)
        elif meant:
            self._act_on(meant)

    def _act_on(self, dead_letters: Sequence[DeadLetter]) -> None:
        failed = self._action(dead_letters)
        self._result.failed |= failed
        done = [each.id for each in dead_letters if each.id not in failed]
        self._result.done += len(done)
        self._result.undeleted += len(done)
        self._gone |= set(done)
        self._delete([self._stay.pop(each) for each in done])

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
    hidden_for: int = HIDDEN_FOR,
) -> list[DrainResult]:
    """Go through each queue of the selection that has dead letters; raises UserError.

    And botocore's errors where AWS can't be asked: what was done by then is told.
    """
    pace = Pace(rate)
    results: list[DrainResult] = []
    for queue in selected_queues(clients, stage, selection.owner):
        left = None if limit is None else limit - sum(each.done for each in results)
        if not queue.count or left == 0:
            continue
        result = DrainResult(queue)
        results.append(result)
        its = action_for(queue)
        if its.action is None:
            result.blocked = its.blocked
        else:
            draining = _Drain(
                clients, result, selection, its.action, its.has_returned,
                explain=explain, dry_run=dry_run, hidden_for=hidden_for,
            )  # fmt: skip
            draining.run(left, pace, partial(on_progress, result))
            result.after = recounted(clients, queue)
        on_progress(result)
    return results
