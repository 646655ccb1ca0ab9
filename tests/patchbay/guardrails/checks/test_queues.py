"""How long queues hide a message, and what becomes of one that fails for good."""

import pytest

from tests.patchbay.guardrails.broken import Broken

DAY = 24 * 60 * 60


def test_a_queue_that_is_shorter_sighted_than_its_function_is_named_with_its_figures(
    dev: Broken,
) -> None:
    dev.queue("payments")["VisibilityTimeout"] = 30
    dev.finds(
        "visibility",
        "Queue records-dev-payments is shorter-sighted than its function: visibility 30 s, "
        "timeout 60 s; a message would be handled twice. Use at least 360 s.",
    )


def test_what_is_not_said_is_what_aws_takes_by_default(dev: Broken) -> None:
    del dev.queue("payments")["VisibilityTimeout"]
    (finding,) = dev.found()
    assert "visibility 30 s, timeout 60 s" in finding.text
    del dev.function("payments")["Timeout"]
    assert dev.found() == []
    dev.queue("payments")["VisibilityTimeout"] = 17
    (finding,) = dev.found()
    assert "visibility 17 s, timeout 3 s" in finding.text


def test_the_time_in_which_a_batch_is_gathered_counts_as_well(dev: Broken) -> None:
    dev.mapping("payments")["MaximumBatchingWindowInSeconds"] = 5
    (finding,) = dev.found()
    assert finding.text.endswith("Use at least 365 s, 5 s of them for the batch window.")


def test_where_no_visibility_is_long_enough_the_work_must_be_cut(dev: Broken) -> None:
    dev.function("payments")["Timeout"] = 7200
    (finding,) = dev.found()
    assert finding.text.endswith("Use at least 43200 s.")
    dev.function("payments")["Timeout"] = 7201
    (finding,) = dev.found()
    assert finding.text.endswith(
        "That would take 43206 s, and SQS has 43200 s at most: cut the work."
    )


def test_a_queue_that_is_read_has_a_dead_letter_queue(dev: Broken) -> None:
    del dev.queue("payments")["RedrivePolicy"]
    dev.finds(
        "dead-letters",
        "Queue records-dev-payments has no dead-letter queue in its stack: a message that can't "
        "be handled would come back until its time is up, and then be gone. Give it one.",
    )


def test_a_dead_letter_queue_is_of_its_queues_kind(dev: Broken) -> None:
    dev.queue("payments").update(FifoQueue=True, ContentBasedDeduplication=True)
    (target,) = dev.rule("payments-shop-orders")["Targets"]
    target["SqsParameters"] = {"MessageGroupId": "all"}
    dev.finds(
        "dead-letters",
        "Queue records-dev-payments is a FIFO queue, and its dead-letter queue "
        "records-dev-payments-dead-letters is a standard queue: SQS would refuse that when it is "
        "deployed. Make both the same.",
    )


@pytest.mark.parametrize(("retention", "kept"), [(4 * DAY, "4 days"), (DAY, "1 day")])
def test_dead_letters_are_kept_longer_than_messages(retention: int, kept: str, dev: Broken) -> None:
    dev.queue("payments-dead-letters")["MessageRetentionPeriod"] = retention
    dev.finds(
        "dead-letters",
        f"Queue records-dev-payments-dead-letters keeps dead letters for {kept}, and "
        "records-dev-payments keeps messages for 4 days: a message's age counts from when it was "
        "first sent, so it could be gone before anybody looks. Keep dead letters longer: 14 days "
        "is SQS's limit.",
    )


@pytest.mark.parametrize("receives", [1, 1001])
def test_a_message_has_more_than_one_chance(receives: int, dev: Broken) -> None:
    dev.queue("payments")["RedrivePolicy"]["maxReceiveCount"] = receives
    dev.finds(
        "dead-letters",
        f"Queue records-dev-payments gives up on a message after {receives} receives: between 2 "
        "and 1000 make sense. With fewer, a function that is throttled once makes a dead letter; "
        "AWS advises 5 or more.",
    )


@pytest.mark.parametrize("receives", [2, 1000])
def test_any_number_of_chances_between_will_do(receives: int, dev: Broken) -> None:
    dev.queue("payments")["RedrivePolicy"]["maxReceiveCount"] = receives
    assert dev.found() == []


def test_a_queue_that_does_not_say_how_long_keeps_messages_for_four_days(dev: Broken) -> None:
    del dev.queue("payments")["MessageRetentionPeriod"]
    dev.queue("payments-dead-letters")["MessageRetentionPeriod"] = 4 * DAY + 1
    assert dev.found() == []
    dev.queue("payments-dead-letters")["MessageRetentionPeriod"] = 4 * DAY
    (finding,) = dev.found()
    assert "records-dev-payments keeps messages for 4 days" in finding.text


def test_dead_letters_are_not_moved_on(dev: Broken) -> None:
    dev.queue("payments-dead-letters")["RedrivePolicy"] = {
        "deadLetterTargetArn": "arn:aws:sqs:eu-west-1:111122223333:somewhere",
        "maxReceiveCount": 5,
    }
    dev.finds(
        "dead-letters-stay",
        "Queue records-dev-payments-dead-letters holds dead letters and gives them up in its "
        "turn: an operator who looks at one a few times would move it out of sight. Take its own "
        "dead-letter queue away.",
    )


def test_a_dead_letter_queue_is_for_one_source(dev: Broken) -> None:
    undelivered = dev.the("SQS::Queue", "payments-undelivered")
    dev.queue("payments")["RedrivePolicy"]["deadLetterTargetArn"] = undelivered.arn
    dev.finds(
        "shared-dead-letters",
        "Queue records-dev-payments-undelivered holds the dead letters of queue "
        "records-dev-payments and the rules to records-dev-payments: nobody could put one back "
        "where it belongs, and one consumer's flood would hide the other's. Give each its own.",
    )
