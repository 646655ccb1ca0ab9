"""Lambda's poller for SQS. Each docstring is the title of the page in AWS's documentation."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from patchbay.testkit.cloud import Cloud
from patchbay.testkit.faults import Slow
from tests.patchbay.testkit.small import NAME, resource, small


def batches(cloud: Cloud) -> list[list[str]]:
    return [line["bodies"] for line in cloud.logs("worker", "batch")]


def times(cloud: Cloud) -> list[float]:
    """Return the time of each batch, in seconds since the first message was sent."""
    lines = cloud.logs("worker", "batch")
    return [line["at"] - EPOCH for line in lines]


EPOCH = 1767225600.0


def send(cloud: Cloud, count: int) -> None:
    for number in range(count):
        cloud.send("worker", str(number))


def test_a_batch_has_at_most_the_mappings_size(tmp_path: Path) -> None:
    """Creating and configuring an Amazon SQS event source mapping."""
    with Cloud(small(tmp_path, mapping={"BatchSize": 10})) as cloud:
        send(cloud, 25)
        cloud.settle()
        assert [len(batch) for batch in batches(cloud)] == [10, 10, 5]
        assert cloud.waiting("worker") == 0


def test_a_window_gathers_the_messages_that_arrive_in_it(tmp_path: Path) -> None:
    """Creating and configuring an Amazon SQS event source mapping."""
    window = {"BatchSize": 100, "MaximumBatchingWindowInSeconds": 5}
    with Cloud(small(tmp_path, mapping=window)) as cloud:
        send(cloud, 2)
        cloud.advance(seconds=3)
        send(cloud, 1)
        cloud.settle()
        assert batches(cloud) == [["0", "1", "0"]]
        assert times(cloud) == [5]


def test_a_full_batch_does_not_wait_for_its_window(tmp_path: Path) -> None:
    """Creating and configuring an Amazon SQS event source mapping."""
    window = {"BatchSize": 2, "MaximumBatchingWindowInSeconds": 5}
    with Cloud(small(tmp_path, mapping=window)) as cloud:
        send(cloud, 3)
        cloud.settle()
        assert batches(cloud) == [["0", "1"], ["2"]]
        assert times(cloud) == [0, 5]


@pytest.mark.parametrize(
    "response", [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}]
)
def test_a_response_without_failures_is_a_success(response: Any, tmp_path: Path) -> None:
    """Handling errors for an SQS event source in Lambda."""
    with Cloud(small(tmp_path, f"return {response!r}")) as cloud:
        send(cloud, 3)
        cloud.settle()
        assert len(batches(cloud)) == 1
        assert cloud.waiting("worker") == 0
        assert cloud.dead_letters("worker") == ()


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ('{"batchItemFailures": [{"itemIdentifier": "unknown"}]}', "which the batch does not have"),
        ('{"batchItemFailures": [{"itemIdentifier": ""}]}', "without an itemIdentifier"),
        ('{"batchItemFailures": [{"itemIdentifier": None}]}', "without an itemIdentifier"),
        ('{"batchItemFailures": [{"itemId": ids[0]}]}', "without an itemIdentifier"),
        ('{"batchItemFailures": [ids[0]]}', "without an itemIdentifier"),
        ('{"batchItemFailures": "all"}', "batchItemFailures is no list"),
        ('"garbage"', "is no batch response"),
        ("ids", "is no batch response"),
        ("object()", "not JSON serializable"),
    ],
)
def test_a_malformed_response_fails_the_whole_batch(
    response: str, reason: str, tmp_path: Path
) -> None:
    """Handling errors for an SQS event source in Lambda."""
    with Cloud(small(tmp_path, f"return {response}")) as cloud:
        send(cloud, 2)
        cloud.settle()
        assert times(cloud) == [0, 60, 120]
        assert len(cloud.dead_letters("worker")) == 2
        assert all(reason in str(why) for why in cloud.dead_letters("worker").reasons)


PARTLY = """
return {"batchItemFailures": [{"itemIdentifier": i} for i, b in zip(ids, bodies) if b == "1"]}
"""


def test_messages_that_a_response_reports_are_retried_and_the_rest_deleted(tmp_path: Path) -> None:
    """Handling errors for an SQS event source in Lambda."""
    with Cloud(small(tmp_path, PARTLY)) as cloud:
        send(cloud, 3)
        cloud.settle()
        assert batches(cloud) == [["0", "1", "2"], ["1"], ["1"]]
        assert [each.body for each in cloud.dead_letters("worker")] == ["1"]


def test_without_partial_batch_responses_reported_messages_are_deleted_too(tmp_path: Path) -> None:
    """Handling errors for an SQS event source in Lambda."""
    with Cloud(small(tmp_path, PARTLY, mapping={"FunctionResponseTypes": []})) as cloud:
        send(cloud, 3)
        cloud.settle()
        assert batches(cloud) == [["0", "1", "2"]]
        assert cloud.waiting("worker") == 0
        assert cloud.dead_letters("worker") == ()


def test_a_failed_batch_is_retried_after_its_visibility_timeout(tmp_path: Path) -> None:
    """Amazon SQS visibility timeout."""
    with Cloud(small(tmp_path, "raise ValueError('no')", queue={})) as cloud:
        send(cloud, 2)
        cloud.advance(seconds=59)
        assert len(batches(cloud)) == 1
        cloud.advance(seconds=1)
        assert len(batches(cloud)) == 2


def test_a_message_beyond_its_max_receive_count_is_a_dead_letter(tmp_path: Path) -> None:
    """Using dead-letter queues in Amazon SQS."""
    with Cloud(small(tmp_path, "raise ValueError('no')")) as cloud:
        send(cloud, 1)
        cloud.settle()
        assert times(cloud) == [0, 60, 120]
        assert cloud.dead_letters("worker").reasons == ["ValueError: no"]
        assert cloud.waiting("worker") == 0


def test_without_a_dead_letter_queue_a_message_expires(tmp_path: Path) -> None:
    """Amazon SQS message retention: SetQueueAttributes."""
    lonely = resource(
        "SQS::Queue", QueueName=NAME, VisibilityTimeout=600, MessageRetentionPeriod=3600
    )
    with Cloud(small(tmp_path, "raise ValueError", changes={"Queue": lonely})) as cloud:
        send(cloud, 1)
        cloud.settle()
        assert times(cloud) == [0, 600, 1200, 1800, 2400, 3000]
        assert len(cloud.lost) == 1
        assert "older than its queue's retention period" in cloud.lost[0]


def test_the_maximum_concurrency_limits_the_batches_at_once(tmp_path: Path) -> None:
    """Configuring scaling behavior for SQS event source mappings."""
    two = {"BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": 2}}
    with Cloud(small(tmp_path, "time.sleep(7)", mapping=two)) as cloud:
        send(cloud, 5)
        cloud.settle()
        assert times(cloud) == [0, 0, 7, 7, 14]


def test_a_function_that_takes_too_long_times_out_and_its_batch_is_retried(tmp_path: Path) -> None:
    """Configure Lambda function timeout."""
    with Cloud(small(tmp_path, "time.sleep(11)")) as cloud:
        send(cloud, 1)
        cloud.settle()
        assert times(cloud) == [0, 60, 120]
        assert cloud.dead_letters("worker").reasons == ["Task timed out after 10.00 seconds"]


def test_a_function_with_reserved_concurrency_0_is_throttled_until_its_messages_are_dead_letters(
    tmp_path: Path,
) -> None:
    """Configuring reserved concurrency for a function."""
    none = {"ReservedConcurrentExecutions": 0}
    with Cloud(small(tmp_path, function=none)) as cloud:
        send(cloud, 1)
        cloud.settle()
        assert batches(cloud) == []
        assert len(cloud.dead_letters("worker")) == 1
        assert cloud.dead_letters("worker").reasons == ["Lambda throttled the function"]


def test_a_function_with_reserved_concurrency_1_handles_one_batch_at_a_time(tmp_path: Path) -> None:
    """Configuring reserved concurrency for a function."""
    one = {"ReservedConcurrentExecutions": 1}
    with Cloud(small(tmp_path, "time.sleep(4)", function=one, mapping={"BatchSize": 1})) as cloud:
        send(cloud, 3)
        cloud.settle()
        starts = times(cloud)
        assert len(starts) == 3
        assert all(later - earlier >= 4 for earlier, later in pairwise(starts))
        assert cloud.dead_letters("worker") == ()


def test_a_disabled_mapping_leaves_messages_in_the_queue(tmp_path: Path) -> None:
    """How Lambda processes records from stream and queue-based event sources."""
    with Cloud(small(tmp_path, mapping={"Enabled": False})) as cloud:
        send(cloud, 2)
        cloud.settle()
        assert batches(cloud) == []
        assert cloud.waiting("worker") == 2


def test_a_message_that_matches_no_filter_is_deleted(tmp_path: Path) -> None:
    """Using event filtering with an Amazon SQS event source."""
    only_large = {"Filters": [{"Pattern": '{"body": {"size": [{"numeric": [">", 10]}]}}'}]}
    with Cloud(small(tmp_path, mapping={"FilterCriteria": only_large})) as cloud:
        for body in ('{"size": 9}', '{"size": 11}', "no JSON"):
            cloud.send("worker", body)
        cloud.settle()
        assert batches(cloud) == [['{"size": 11}']]
        assert cloud.waiting("worker") == 0
        assert cloud.dead_letters("worker") == ()


def test_in_a_fifo_queue_a_failure_blocks_its_own_group_and_no_other(tmp_path: Path) -> None:
    """Using Lambda with Amazon SQS: FIFO queues; Amazon SQS FIFO queue logic."""
    fails_once = """
    failed = [i for i, r in zip(ids, event["Records"])
              if r["body"] == "a1" and r["attributes"]["ApproximateReceiveCount"] == "1"]
    return {"batchItemFailures": [{"itemIdentifier": i} for i in failed]}
    """
    with Cloud(small(tmp_path, fails_once, queue={"FifoQueue": True},
                     mapping={"BatchSize": 1})) as cloud:  # fmt: skip
        for body in ("a1", "b1", "a2", "b2"):
            cloud.send("worker", body, group=body[0])
        cloud.settle()
        assert batches(cloud) == [["a1"], ["b1"], ["b2"], ["a1"], ["a2"]]
        assert times(cloud) == [0, 0, 0, 60, 60]


def test_a_slow_consumer_is_slow_in_virtual_time_only(tmp_path: Path) -> None:
    with Cloud(small(tmp_path)) as cloud:
        cloud.break_("worker", with_=Slow(5), lasting=timedelta(seconds=1))
        send(cloud, 1)
        cloud.settle()
        (handled_at,) = cloud.handled_at("worker").values()
        assert handled_at.timestamp() == EPOCH + 5
