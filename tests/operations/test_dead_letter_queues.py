"""The dead-letter queues of a stage are found, each with its owner and its redrive target."""

import pytest

from patchbay.errors import UserError
from patchbay.operations.dead_letters.dead_letter import (
    DeadLetterQueue,
    FromStream,
    NotRedrivable,
    ToFunction,
    ToQueue,
    ToStream,
)
from patchbay.operations.dead_letters.queues import queues
from patchbay.testkit.reading.arns import queue_url
from patchbay.testkit.templates import Templates
from tests.shop import Shop

P = "records-dev-"


@pytest.fixture
def found(cloud: Shop) -> dict[str, DeadLetterQueue]:
    return {queue.name.removeprefix(P): queue for queue in queues(cloud, "dev")}


def test_every_queue_that_no_function_reads_is_found(
    found: dict[str, DeadLetterQueue], cloud: Shop, templates: Templates
) -> None:
    read = {cloud.queue(each).name for each in cloud.consumers}
    read |= {cloud.intake(each).name for each in cloud.consumers}
    there = {queue.name for queue in templates.all("AWS::SQS::Queue")}
    assert {queue.name for queue in found.values()} == there - read
    assert all(queue.kind != "unknown" for queue in found.values())


def test_a_consumers_dead_letters_are_redriven_to_its_queue(
    found: dict[str, DeadLetterQueue],
) -> None:
    queue = found["payments-dead-letters"]
    assert (queue.kind, queue.owner, queue.attempts) == ("handling", "payments", 12)
    assert queue.redrive_target == ToQueue(queue_url(f"{P}payments"), f"{P}payments", is_fifo=False)
    assert queue.log_group == f"/aws/lambda/{P}payments"


def test_undelivered_events_are_redriven_to_the_rules_target(
    found: dict[str, DeadLetterQueue],
) -> None:
    queue = found["notifications-undelivered"]
    assert (queue.kind, queue.owner) == ("delivery", "notifications")
    assert str(queue.redrive_target) == f"queue {P}notifications"


def test_undelivered_events_of_an_ordered_consumer_are_redriven_to_its_intake_in_the_rules_group(
    found: dict[str, DeadLetterQueue],
) -> None:
    queue = found["accounts-statement-undelivered"]
    intake = f"{P}accounts-statement-intake.fifo"
    assert queue.owner == "accounts-statement"
    assert queue.redrive_target == ToQueue(queue_url(intake), intake, is_fifo=True, group="all")


def test_dead_letters_of_an_ordered_consumer_keep_their_groups(
    found: dict[str, DeadLetterQueue],
) -> None:
    dead = found["accounts-statement-dead-letters.fifo"]
    unrelayed = found["accounts-statement-unrelayed.fifo"]
    assert (dead.kind, unrelayed.kind) == ("handling", "relay")
    assert dead.owner == unrelayed.owner == "accounts-statement"
    for queue, name in (
        (dead, "accounts-statement.fifo"),
        (unrelayed, "accounts-statement-intake.fifo"),
    ):
        assert queue.redrive_target == ToQueue(
            queue_url(P + name), P + name, is_fifo=True, group=None
        )


def test_a_missed_run_is_redriven_to_its_function(found: dict[str, DeadLetterQueue]) -> None:
    queue = found["accounts-close-missed"]
    assert (queue.kind, queue.owner) == ("schedule", "accounts-close")
    assert queue.redrive_target == ToFunction(f"{P}accounts-close")


def test_the_records_that_an_outbox_could_not_publish_are_read_from_its_stream_again(
    found: dict[str, DeadLetterQueue],
) -> None:
    queue = found["orders-unpublished"]
    assert (queue.kind, queue.owner) == ("stream", "orders-outbox")
    assert isinstance(queue.redrive_target, FromStream)
    assert queue.redrive_target.function == f"{P}orders-outbox"
    assert "INSERT" in queue.redrive_target.filters[0]


def test_records_that_missed_their_window_are_redriven_to_the_end_of_the_stream(
    found: dict[str, DeadLetterQueue],
) -> None:
    queue = found["bestsellers-failed"]
    assert (queue.kind, queue.owner) == ("stream", "bestsellers")
    assert isinstance(queue.redrive_target, ToStream)
    assert str(queue.redrive_target) == f"the end of stream {P}storefront"


def test_an_abandoned_queue_is_found_and_can_not_be_redriven(cloud: Shop) -> None:
    cloud.client("sqs").create_queue(QueueName=f"{P}left-behind-dead-letters")
    (left,) = [queue for queue in queues(cloud, "dev") if queue.kind == "unknown"]
    assert left.owner == "left-behind-dead-letters"
    assert isinstance(left.redrive_target, NotRedrivable)


def test_a_stage_that_is_not_deployed_is_named(cloud: Shop) -> None:
    with pytest.raises(UserError, match="is the stage 'prod' deployed in this account"):
        queues(cloud, "prod")
