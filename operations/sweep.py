"""Goes once through a dead-letter queue: what is meant is dealt with and deleted."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.clients import Clients
from operations.dead_letters import DeadLetter, DeadLetterQueue
from operations.letter import Message, letter
from operations.peek import AT_A_TIME, explained, put_back, receive
from operations.selection import Selection

HIDDEN_FOR = 60  # seconds in which what was received is dealt with and deleted
LONGEST_HIDDEN = 12 * 60 * 60  # seconds: SQS's own limit
SEEN_A_SECOND = 20  # letters, at least

Deal = Callable[[Sequence[DeadLetter]], Mapping[str, str]]
"""Deals with letters; returns why, by id, where that was not to be done. Those are not deleted."""


@dataclass
class Swept:
    """How many letters of a queue are what by now."""

    done: int = 0
    """Dealt with, or, when it is only tried, what would be."""
    failed: dict[str, str] = field(default_factory=dict)
    """Why those stay that could not be dealt with, by their ids."""
    kept: int = 0
    """Not meant: they stay."""
    returned: int = 0
    """Put back before, and here again already: they stay as well."""
    undeleted: int = 0
    """Dealt with, and yet still here: it does no harm to do it again."""


class Pace:
    """Lets so many letters pass a second."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._next = time.monotonic()

    @property
    def at_once(self) -> int:
        """How many letters may pass together."""
        return AT_A_TIME if self._rate is None else max(1, min(AT_A_TIME, int(self._rate)))

    def seconds(self, letters: int) -> float:
        """How long so many take, at least."""
        return letters / self._rate if self._rate else 0

    def wait(self) -> None:
        """Return when the next may pass."""
        time.sleep(max(0.0, self._next - time.monotonic()))

    def passed(self, letters: int) -> None:
        """So many have."""
        self._next = max(self._next, time.monotonic()) + self.seconds(letters)


class Sweep:
    """One way through a queue. Letters that come back meanwhile are not dealt with again."""

    def __init__(
        self,
        clients: Clients,
        queue: DeadLetterQueue,
        selection: Selection,
        deal: Deal,
        *,
        is_back: Callable[[Message], bool] = lambda message: False,
        explain: bool = False,
        dry_run: bool = False,
        hidden_for: int = HIDDEN_FOR,
    ) -> None:
        self.swept = Swept()
        self._clients = clients
        self._sqs: Any = clients.client("sqs")
        self._queue = queue
        self._selection = selection
        self._deal = deal
        self._is_back = is_back
        self._explains = explain or selection.asks_for_reasons
        self._dry_run = dry_run
        self._hidden_for = hidden_for
        self._stay: dict[str, Message] = {}
        self._gone: set[str] = set()

    def run(self, limit: int | None, pace: Pace, tell: Callable[[], None]) -> None:
        """Deal with at most so many letters; `tell` is called after every few."""
        hidden_for = self._long_enough(limit, pace)
        try:
            while limit is None or self.swept.done < limit:
                pace.wait()
                most = pace.at_once if limit is None else min(pace.at_once, limit - self.swept.done)
                messages = receive(self._sqs, self._queue.url, most, hidden_for)
                if all(message["MessageId"] in self._stay for message in messages):
                    break
                before = self.swept.done
                self._look_at(messages)
                pace.passed(self.swept.done - before)
                tell()
        finally:
            # Where that fails as well, they are seen again when their time is over.
            with suppress(BotoCoreError, ClientError):
                put_back(self._sqs, self._queue.url, self._stay.values())

    def _long_enough(self, limit: int | None, pace: Pace) -> int:
        """For how long to hide letters, so that what stays is not met twice."""
        if self._selection.takes_all and not self._dry_run:
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
        back = [message for message in new if self._is_back(message)]
        self.swept.returned += len(back)
        new = [message for message in new if message not in back]
        if self._explains:
            letters = explained(self._clients, self._queue, new)
        else:
            letters = [letter(message, self._queue) for message in new]
        meant = [each for each in letters if self._selection.takes(each)]
        self.swept.kept += len(letters) - len(meant)
        if self._dry_run:
            self.swept.done += len(meant)
        elif meant:
            self._deal_with(meant)

    def _deal_with(self, letters: Sequence[DeadLetter]) -> None:
        failed = self._deal(letters)
        self.swept.failed |= failed
        done = [each.id for each in letters if each.id not in failed]
        self.swept.done += len(done)
        self.swept.undeleted += len(done)
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
        self.swept.undeleted -= len(messages) - len(answer.get("Failed", []))
