"""Lambda's poller for a stream: it retries each batch, in order, until it succeeds or is given up.

A `Source` hides the difference between DynamoDB and Kinesis.
"""

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Protocol

from patchbay.testkit.aws.function import Answer, Function, Lambda
from patchbay.testkit.aws.iam import Call, allows
from patchbay.testkit.aws.queue import Queue
from patchbay.testkit.clock import Clock, Turn
from patchbay.testkit.history import History
from patchbay.testkit.polling.windows import Window, state_of
from patchbay.topology.event_pattern import EventPattern

RETENTION = 24 * 60 * 60.0  # seconds for which a stream of DynamoDB or Kinesis keeps a record
# Lambda backs off exponentially. Its intervals are not public.
FIRST_RETRY = 1.0  # seconds
LAST_RETRY = 60.0  # seconds

Record = dict[str, Any]


class Source(Protocol):
    """One shard of a stream, as Lambda reads it."""

    @property
    def key(self) -> str:
        """The identifier with which a change of the stream is announced."""

    @property
    def name(self) -> str:
        """Its name in the history."""

    @property
    def arn(self) -> str: ...

    @property
    def shard_id(self) -> str: ...

    def records(self) -> Sequence[Any]:
        """Return all records, in moto's form."""

    def lambda_record(self, record: Any) -> Record: ...

    def number(self, record: Record) -> str: ...

    def created(self, record: Record) -> float: ...

    def batch_info(self, position: dict[str, Any]) -> dict[str, Any]: ...


@dataclass(frozen=True)
class StreamMapping:
    """An event source mapping for one shard of a stream, as its template defines it."""

    function: Function
    source: Source
    enabled: bool
    batch_size: int
    window: float  # seconds to gather a batch
    max_retries: float  # of a batch
    max_age: float  # seconds
    bisects: bool
    partial: bool
    on_failure: Queue | None
    filters: Sequence[EventPattern]
    tumbling: float = 0  # seconds of a tumbling window; 0 without windows


@dataclass
class _Batch:
    records: list[Record]
    retries: int = 0
    is_final: bool = False  # the last of a window, without records


class StreamPoller:
    """The poller of one event source mapping, for one shard."""

    def __init__(
        self,
        clock: Clock,
        functions: Lambda,
        history: History,
        mapping: StreamMapping,
        sent: Callable[[Queue], None],
    ) -> None:
        self._clock = clock
        self._functions = functions
        self._history = history
        self._sent = sent
        self.mapping = mapping
        self._position = 0  # of the next record to read
        self._work: deque[_Batch] = deque()
        self._is_busy = False
        self._window: Window | None = None

    def wake(self) -> None:
        """Schedule the next poll. Call it when the stream has changed."""
        if not self.mapping.enabled or self._is_busy or self._position >= len(self._records()):
            return
        self._is_busy = True
        self._clock.at(self._clock.now + self.mapping.window, self._read, Turn.POLL)

    def backlog(self) -> int:
        """Return the number of records that are neither handled nor given up."""
        unread = len(self._records()) - self._position
        return unread + sum(len(batch.records) for batch in self._work)

    def _records(self) -> Sequence[Any]:
        return self.mapping.source.records()

    def _read(self) -> None:
        if self._window_is_over():
            self._continue()
            return
        mapping, source = self.mapping, self.mapping.source
        new = self._records()[self._position : self._position + mapping.batch_size]
        records = [source.lambda_record(each) for each in new]
        if mapping.tumbling and records:
            window = self._window or Window.around(source.created(records[0]), mapping.tumbling)
            # All records of a batch are in one window.
            records = list(takewhile(lambda each: window.holds(source.created(each)), records))
            if self._window is None:
                self._window = window
                self._clock.at(window.end, self._check_window, Turn.POLL)
        self._position += len(records)
        passing = [record for record in records if self._passes(record)]
        if passing:
            self._work.append(_Batch(passing))
        self._continue()

    def _check_window(self) -> None:
        if not self._is_busy:
            self._is_busy = True
            self._continue()

    def _window_is_over(self) -> bool:
        window = self._window
        if window is None:
            return False
        if window.is_too_large:
            return True
        unread = self._records()[self._position : self._position + 1]
        if unread:
            source = self.mapping.source
            return not window.holds(source.created(source.lambda_record(unread[0])))
        return self._clock.now >= window.end

    def _continue(self) -> None:
        if not self._work and self._window_is_over():
            self._work.append(_Batch([], is_final=True))
        if self._work:
            self._try()
            return
        self._is_busy = False
        self.wake()

    def _try(self) -> None:
        batch = self._work[0]
        if self._discard_expired(batch):
            self._continue()
            return
        if self._functions.throttles(self.mapping.function):
            self._retry(batch)
            return
        answer = self._functions.invoke(self.mapping.function, self._event(batch))
        if answer.ended > self._clock.now:
            self._clock.at(answer.ended, lambda: self._finish(batch, answer))
        else:
            self._finish(batch, answer)

    def _event(self, batch: _Batch) -> dict[str, Any]:
        event: dict[str, Any] = {"Records": batch.records}
        if self._window is None:
            return event
        source = self.mapping.source
        return event | self._window.event(source.shard_id, source.arn, is_final=batch.is_final)

    def _finish(self, batch: _Batch, answer: Answer) -> None:
        failed_from, why = self._first_failure(batch, answer)
        if (
            self._window
            and answer.error is None
            and (state := state_of(answer.payload)) is not None
        ):
            self._window.state = state
        if failed_from is None:
            self._done()
            return
        self._history.note(
            self.mapping.function.name, "failed", f"{len(batch.records)} records", why
        )
        # The records before the first failure have been handled.
        del batch.records[:failed_from]
        # A reported failure splits the batch; it is not bisected as well.
        if self.mapping.bisects and answer.error is not None and len(batch.records) > 1:
            self._bisect(batch)
        elif batch.retries >= self.mapping.max_retries:
            self._discard(batch.records, "RetryAttemptsExhausted", batch.retries + 1)
            self._done()
            return
        self._retry(self._work[0])

    def _done(self) -> None:
        if self._work.popleft().is_final:
            self._window = None
        self._continue()

    def _bisect(self, batch: _Batch) -> None:
        """Split a batch in two, and try the first half first. This does not count as a retry."""
        middle = len(batch.records) // 2
        self._work.popleft()
        self._work.appendleft(_Batch(batch.records[middle:], batch.retries))
        self._work.appendleft(_Batch(batch.records[:middle], batch.retries - 1))

    def _retry(self, batch: _Batch) -> None:
        batch.retries += 1
        wait = min(FIRST_RETRY * 2.0 ** min(max(batch.retries - 1, 0), 10), LAST_RETRY)
        self._clock.at(self._clock.now + wait, self._try, Turn.POLL)

    def _discard_expired(self, batch: _Batch) -> bool:
        """Discard the records past the maximum age, and return whether none are left."""
        if batch.is_final:
            return False
        limit = min(self.mapping.max_age, RETENTION)
        old = [each for each in batch.records if self._age(each) >= limit]
        if old:
            self._discard(old, "MaximumRecordAgeExceeded", batch.retries)
            batch.records = [each for each in batch.records if each not in old]
        if not batch.records:
            self._work.popleft()
        return not batch.records

    def _age(self, record: Record) -> float:
        return self._clock.now - self.mapping.source.created(record)

    def _discard(self, records: list[Record], condition: str, tries: int) -> None:
        function, queue = self.mapping.function, self.mapping.on_failure
        if not records:
            why = "it was the end of a window, of which AWS's documentation promises no dead letter"
        elif queue is None:
            why = "the mapping has no on-failure destination"
        elif not allows(function.statements, Call("sqs:SendMessage", queue.arn, {})):
            why = f"the role of {function.name} may not send to {queue.name}"
        else:
            body = json.dumps(_batch_info(records, self.mapping, condition, tries))
            self._history.sent(queue.name, queue.send(body), body)
            self._sent(queue)
            return
        what = f"{len(records)} records of {self.mapping.source.name}"
        self._history.dropped(function.name, what, condition, why)

    def _first_failure(self, batch: _Batch, answer: Answer) -> tuple[int | None, str]:
        """Return the position of the first failure in the batch, if any, and the reason."""
        if answer.error is not None:
            return 0, answer.error
        if self._window and state_of(answer.payload) is None:
            return 0, "its response has no state, which a tumbling window needs"
        if not self.mapping.partial or not answer.payload:
            return None, ""
        numbers = [self.mapping.source.number(record) for record in batch.records]
        failures = answer.payload.get("batchItemFailures") or []
        try:
            failed = [numbers.index(each["itemIdentifier"]) for each in failures]
        except (ValueError, KeyError, TypeError):
            return 0, f"the response names no record of the batch: {failures!r:.100}"
        return (min(failed), "it reported a failure") if failed else (None, "")

    def _passes(self, record: Record) -> bool:
        patterns = self.mapping.filters
        return not patterns or any(each.matches(json.dumps(record)) for each in patterns)


def _batch_info(
    records: list[Record], mapping: StreamMapping, condition: str, tries: int
) -> dict[str, Any]:
    """Return Lambda's message about given-up records: their position, without their content."""
    source = mapping.source
    numbers = [source.number(record) for record in records]
    position = {
        "startSequenceNumber": numbers[0],
        "endSequenceNumber": numbers[-1],
        "batchSize": len(records),
        "streamArn": source.arn,
    }
    return {
        "requestContext": {
            "functionArn": mapping.function.arn,
            "condition": condition,
            "approximateInvokeCount": tries,
        },
        "version": "1.0",
        **source.batch_info(position),
    }
