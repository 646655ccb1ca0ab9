"""FIFO queues in the kit behave as AWS documents."""

from functools import partial
from pathlib import Path

import boto3

from patchbay.testkit.cloud import Cloud
from tests.patchbay.testkit.small import small

FIFO = {"FifoQueue": True}
FAIL_FIRST = """
first_time = context.aws_request_id.endswith("0001")
failed = [i for i, body in zip(ids, bodies) if body == "first" and first_time]
return {"batchItemFailures": [{"itemIdentifier": i} for i in failed]}
"""


def test_a_group_delivers_nothing_while_one_of_its_messages_is_in_flight(
    tmp_path: Path,
) -> None:
    """From "FIFO queue delivery logic in Amazon SQS"."""
    templates = small(tmp_path, FAIL_FIRST, queue=FIFO, mapping={"BatchSize": 2})
    with Cloud(templates) as cloud:
        cloud.send("worker", "first", group="A")
        cloud.advance(seconds=1)
        cloud.send("worker", "second", group="A")
        cloud.send("worker", "other", group="B")
        cloud.settle()
        batches = [line["bodies"] for line in cloud.logs("worker", "batch")]
        assert batches == [["first"], ["other"], ["first", "second"]]


def test_a_duplicate_is_dropped_for_five_minutes_even_after_the_first_is_deleted(
    tmp_path: Path,
) -> None:
    """From "Using the message deduplication ID in Amazon SQS"."""
    with Cloud(small(tmp_path, queue=FIFO)) as cloud:
        send = partial(boto3.client("sqs").send_message, QueueUrl=cloud.queue("worker").url)
        for minutes in (0, 4, 2):
            cloud.advance(minutes=minutes)
            send(MessageBody="text", MessageGroupId="A", MessageDeduplicationId="one")
            cloud.send("worker", "another", group="B")
            cloud.settle()
        taken = [body for line in cloud.logs("worker", "batch") for body in line["bodies"]]
        assert sorted(taken) == ["another", "another", "another", "text", "text"]


def test_eventbridge_can_not_deliver_to_a_fifo_queue_without_content_based_deduplication(
    tmp_path: Path,
) -> None:
    """From "Amazon SQS FIFO queues" as targets: content-based deduplication has to be on."""
    wanting = FIFO | {"ContentBasedDeduplication": False}
    with Cloud(small(tmp_path, queue=wanting)) as cloud:
        cloud.put("greenhouse.test", "Tested", {"metadata": {"id": "1"}})
        cloud.settle()
        (dead_letter,) = cloud.undelivered("worker")
        assert "needs a deduplication id" in str(dead_letter.reason)
