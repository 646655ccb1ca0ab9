"""Idempotency: an event is handled once, even if it is delivered twice."""

import os
import time

import boto3
import pytest
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
)

from patchbay.messaging.consuming import consumer
from patchbay.messaging.idempotency import (
    REMEMBERED_FOR,
    _store,
    naturally_idempotent,
    once,
)
from tests.patchbay.messaging.fixtures import Clock, DeadLetters, Lines, Metric
from tests.patchbay.messaging.queues import ConsumerQueue
from tests.patchbay.messaging.recorder import AN_EVENT_ID, Crash, Recorder, a_picking
from tests.patchbay.messaging.samples import BedPicked
from tests.patchbay.messaging.wire import Context, on_the_wire

ORDER = on_the_wire(a_picking(), id=AN_EVENT_ID)


def test_an_event_that_is_delivered_twice_is_handled_once(
    queue: ConsumerQueue, recorder: Recorder, lines: Lines
) -> None:
    assert queue.deliver(recorder.handler, ORDER) == []
    assert queue.deliver(recorder.handler, ORDER) == []
    assert recorder.handled == ["bed-1"]
    assert len(lines("handled")) == len(lines("already handled")) == 1
    assert queue.is_empty()


def test_an_event_that_is_twice_in_one_batch_is_handled_once(
    queue: ConsumerQueue, recorder: Recorder
) -> None:
    assert queue.deliver(recorder.handler, ORDER, ORDER) == []
    assert recorder.handled == ["bed-1"]


def test_two_events_with_the_same_data_are_both_handled(
    queue: ConsumerQueue, recorder: Recorder
) -> None:
    queue.deliver(recorder.handler, a_picking(), a_picking())
    assert recorder.handled == ["bed-1", "bed-1"]


def test_two_consumers_that_share_a_table_both_handle_an_event(
    queue: ConsumerQueue, recorder: Recorder
) -> None:
    queue.deliver(recorder.handler, ORDER)
    ConsumerQueue("statistics").deliver(recorder.handler, ORDER)
    assert recorder.handled == ["bed-1", "bed-1"]


def test_a_failed_attempt_is_retried(queue: ConsumerQueue, recorder: Recorder) -> None:
    recorder.fail()
    queue.deliver(recorder.handler, ORDER)
    assert queue.deliver(recorder.handler, ORDER) == []
    assert recorder.handled == ["bed-1"]


def test_an_event_is_remembered_for_longer_than_a_redrive_can_take(
    queue: ConsumerQueue, recorder: Recorder, clock: Clock
) -> None:
    queue.deliver(recorder.handler, ORDER)
    clock.shift(REMEMBERED_FOR - 1)
    queue.deliver(recorder.handler, ORDER)
    assert recorder.handled == ["bed-1"]
    clock.shift(2)
    queue.deliver(recorder.handler, ORDER)
    assert recorder.handled == ["bed-1", "bed-1"]


# Who crashes has measured nothing, and Powertools finds that worth a warning.
@pytest.mark.filterwarnings("ignore:No application metrics to publish:UserWarning")
def test_a_crash_blocks_the_event_until_the_function_s_timeout(
    queue: ConsumerQueue,
    recorder: Recorder,
    clock: Clock,
    metric: Metric,
    lines: Lines,
    dead_letters: DeadLetters,
) -> None:
    recorder.fail(error=Crash())
    with pytest.raises(Crash):
        queue.deliver(recorder.handler, ORDER)
    clock.shift(Context.SECONDS - 1)
    assert queue.deliver(recorder.handler, ORDER) == [ORDER]
    assert recorder.attempted == ["bed-1"]
    clock.shift(2.01)
    assert queue.deliver(recorder.handler) == []
    assert recorder.handled == ["bed-1"]
    assert metric("Failed") == [1]
    assert "exception" not in lines("failed")[0]
    assert dead_letters() == []


def test_a_naturally_idempotent_handler_runs_each_time_and_records_nothing(
    queue: ConsumerQueue, lines: Lines
) -> None:
    seen: list[str] = []

    @consumer
    @naturally_idempotent
    def handler(picked: BedPicked) -> None:
        seen.append(picked.bed_id)

    assert queue.deliver(handler, ORDER) == []
    assert queue.deliver(handler, ORDER) == []
    assert seen == ["bed-1"] * 2
    assert len(lines("handled")) == 2
    assert boto3.resource("dynamodb").Table(os.environ["IDEMPOTENCY_TABLE"]).scan()["Count"] == 0


def test_an_unmarked_handler_without_a_table_fails_with_the_reason(
    queue: ConsumerQueue, recorder: Recorder, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IDEMPOTENCY_TABLE")
    _store.cache_clear()
    assert queue.deliver(recorder.handler, ORDER) == [ORDER]
    _store.cache_clear()
    (failed,) = lines("failed")
    assert "the function has no IDEMPOTENCY_TABLE" in failed["reason"]
    assert "mark the handler with @naturally_idempotent" in failed["reason"]
    assert recorder.attempted == []


def test_once_returns_whether_it_ran() -> None:
    ran = []
    assert once("an event", lambda: ran.append(1), Context())
    assert not once("an event", lambda: ran.append(2), Context())
    assert ran == [1]


def test_once_runs_again_after_an_exception() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        once("an event", fail, Context())
    assert once("an event", lambda: None, Context())


def test_once_does_not_run_an_event_that_is_still_being_handled() -> None:
    def again() -> None:
        once("an event", lambda: None, Context())

    with pytest.raises(IdempotencyAlreadyInProgressError):
        once("an event", again, Context())


def test_the_record_of_a_handled_event_expires(
    queue: ConsumerQueue, recorder: Recorder, clock: Clock
) -> None:
    queue.deliver(recorder.handler, ORDER)
    table = boto3.resource("dynamodb").Table(os.environ["IDEMPOTENCY_TABLE"])
    (item,) = table.scan()["Items"]
    assert item["status"] == "COMPLETED"
    assert item["expiration"] == int(time.time()) + REMEMBERED_FOR
