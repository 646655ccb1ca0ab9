import math
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from hypothesis import given
from hypothesis import strategies as st

from patchbay.messaging import redelivery
from tests.patchbay.messaging.fixtures import Clock
from tests.patchbay.messaging.queues import ConsumerQueue
from tests.patchbay.messaging.recorder import Recorder, a_picking

LONGEST_VISIBILITY_TIMEOUT = 43_200  # seconds: SQS's own limit


@given(st.integers(1, 1000))
def test_a_delay_is_in_whole_seconds_within_sqs_limits(attempt: int) -> None:
    delay = redelivery.delay_after(attempt)
    assert isinstance(delay, int)
    assert 0 <= delay <= min(2 ** (attempt - 1), LONGEST_VISIBILITY_TIMEOUT)


def test_a_delay_is_rounded_up_so_that_none_is_shortened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redelivery, "full_jitter", lambda attempt, cap: attempt + 0.1)
    assert redelivery.delay_after(4) == math.ceil(4.1)


def test_a_consumer_may_have_a_longest_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redelivery, "full_jitter", lambda attempt, cap: cap)
    assert redelivery.delay_after(20) == 900
    monkeypatch.setenv("BACKOFF_CAP", "30")
    assert redelivery.delay_after(20) == 30


def test_a_message_is_visible_again_after_its_visibility_timeout(
    queue: ConsumerQueue, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.send(a_picking())
    (record,) = queue.receive()
    monkeypatch.setenv("QUEUE_URL", queue.url)
    redelivery.change_visibility(SQSRecord(record), 600)
    clock.shift(599)
    assert queue.receive() == []
    clock.shift(1.01)
    assert [again["messageId"] for again in queue.receive()] == [record["messageId"]]


def test_a_rejected_message_of_a_fifo_queue_keeps_its_group_and_is_one_dead_letter(
    fifo_queue: ConsumerQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSUMER", fifo_queue.consumer)
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", fifo_queue.dead_letter_url)
    message_id = fifo_queue.send("poison", group="picker-1")
    (record,) = fifo_queue.receive()
    for _ in range(2):
        redelivery.reject(SQSRecord(record), ValueError("no such picker"))
    (dead_letter,) = fifo_queue.dead_letters()
    assert (dead_letter.group, dead_letter.original_message_id) == ("picker-1", message_id)


def test_as_long_as_nothing_fails_no_sqs_client_is_created(
    queue: ConsumerQueue, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redelivery, "_client", never)
    assert queue.deliver(recorder.handler, a_picking()) == []
    assert recorder.handled == ["bed-1"]


def never() -> Any:
    raise AssertionError("a client was made")


def test_a_reason_is_sent_without_the_characters_that_sqs_refuses(
    queue: ConsumerQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSUMER", queue.consumer)
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", queue.dead_letter_url)
    queue.send("poison")
    (record,) = queue.receive()
    redelivery.reject(SQSRecord(record), ValueError("no\x00 such\ud800 picker\t\N{SNOWMAN}"))
    (dead_letter,) = queue.dead_letters()
    assert dead_letter.reason == "no\ufffd such\ufffd picker\t\N{SNOWMAN}"
