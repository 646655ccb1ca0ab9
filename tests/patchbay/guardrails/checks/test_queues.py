"""How long queues hide a message, and what becomes of one that fails for good."""

import pytest

from tests.patchbay.guardrails.broken import Broken

DAY = 24 * 60 * 60


def test_a_visibility_timeout_that_is_too_short_for_the_function_is_named_with_its_figures(
    dev: Broken,
) -> None:
    dev.queue("alerts")["VisibilityTimeout"] = 30
    dev.finds(
        "visibility",
        "Queue greenhouse-dev-alerts: visibility timeout 30 s is below 6 times the function's "
        "timeout (60 s). A message would be delivered again while it is handled. Set it to at "
        "least 360 s.",
    )


def test_what_is_not_said_is_what_aws_takes_by_default(dev: Broken) -> None:
    del dev.queue("alerts")["VisibilityTimeout"]
    (finding,) = dev.found()
    assert "visibility timeout 30 s is below 6 times the function's timeout (60 s)" in finding.text
    del dev.function("alerts")["Timeout"]
    assert dev.found() == []
    dev.queue("alerts")["VisibilityTimeout"] = 17
    (finding,) = dev.found()
    assert "visibility timeout 17 s is below 6 times the function's timeout (3 s)" in finding.text


def test_the_time_in_which_a_batch_is_gathered_counts_as_well(dev: Broken) -> None:
    dev.mapping("alerts")["MaximumBatchingWindowInSeconds"] = 5
    (finding,) = dev.found()
    assert "(60 s) plus the batch window (5 s)." in finding.text
    assert finding.text.endswith("Set it to at least 365 s.")


def test_where_no_visibility_is_long_enough_the_work_must_be_cut(dev: Broken) -> None:
    dev.function("alerts")["Timeout"] = 7200
    (finding,) = dev.found()
    assert finding.text.endswith("Set it to at least 43200 s.")
    dev.function("alerts")["Timeout"] = 7201
    (finding,) = dev.found()
    assert finding.text.endswith("It would take 43206 s, and SQS allows 43200 s: shorten the work.")


def test_a_queue_that_is_read_has_a_dead_letter_queue(dev: Broken) -> None:
    del dev.queue("alerts")["RedrivePolicy"]
    dev.finds(
        "dead-letters",
        "Queue greenhouse-dev-alerts has no dead-letter queue in its stack: a message that can't "
        "be handled would come back until its time is up, and then be gone. Give it one.",
    )


def test_a_dead_letter_queue_is_of_its_queues_kind(dev: Broken) -> None:
    dev.queue("alerts").update(FifoQueue=True, ContentBasedDeduplication=True)
    (target,) = dev.rule("alerts-greenhouse-sensors")["Targets"]
    target["SqsParameters"] = {"MessageGroupId": "all"}
    dev.finds(
        "dead-letters",
        "Queue greenhouse-dev-alerts is a FIFO queue, and its dead-letter queue "
        "greenhouse-dev-alerts-dead-letters is a standard queue: SQS would refuse that when it is "
        "deployed. Make both the same.",
    )


@pytest.mark.parametrize(("retention", "kept"), [(4 * DAY, "4 days"), (DAY, "1 day")])
def test_dead_letters_are_kept_longer_than_messages(retention: int, kept: str, dev: Broken) -> None:
    dev.queue("alerts-dead-letters")["MessageRetentionPeriod"] = retention
    dev.finds(
        "dead-letters",
        f"Queue greenhouse-dev-alerts-dead-letters keeps dead letters for {kept}, and "
        "greenhouse-dev-alerts keeps messages for 4 days: a message's age counts from when it was "
        "first sent, so it could be gone before anybody looks. Keep dead letters longer: 14 days "
        "is SQS's limit.",
    )


@pytest.mark.parametrize("receives", [1, 1001])
def test_a_message_has_more_than_one_chance(receives: int, dev: Broken) -> None:
    dev.queue("alerts")["RedrivePolicy"]["maxReceiveCount"] = receives
    dev.finds(
        "dead-letters",
        f"Queue greenhouse-dev-alerts gives up on a message after {receives} receives: between 2 "
        "and 1000 make sense. With fewer, a function that is throttled once makes a dead letter; "
        "AWS advises 5 or more.",
    )


@pytest.mark.parametrize("receives", [2, 1000])
def test_any_number_of_chances_between_will_do(receives: int, dev: Broken) -> None:
    dev.queue("alerts")["RedrivePolicy"]["maxReceiveCount"] = receives
    assert dev.found() == []


def test_a_queue_that_does_not_say_how_long_keeps_messages_for_four_days(dev: Broken) -> None:
    del dev.queue("alerts")["MessageRetentionPeriod"]
    dev.queue("alerts-dead-letters")["MessageRetentionPeriod"] = 4 * DAY + 1
    assert dev.found() == []
    dev.queue("alerts-dead-letters")["MessageRetentionPeriod"] = 4 * DAY
    (finding,) = dev.found()
    assert "greenhouse-dev-alerts keeps messages for 4 days" in finding.text


def test_dead_letters_are_not_moved_on(dev: Broken) -> None:
    dev.queue("alerts-dead-letters")["RedrivePolicy"] = {
        "deadLetterTargetArn": "arn:aws:sqs:eu-west-1:111122223333:somewhere",
        "maxReceiveCount": 5,
    }
    dev.finds(
        "dead-letters-stay",
        "Queue greenhouse-dev-alerts-dead-letters holds dead letters and gives them up in its "
        "turn: an operator who looks at one a few times would move it out of sight. Take its own "
        "dead-letter queue away.",
    )


def test_a_dead_letter_queue_is_for_one_source(dev: Broken) -> None:
    undelivered = dev.the("SQS::Queue", "alerts-undelivered")
    dev.queue("alerts")["RedrivePolicy"]["deadLetterTargetArn"] = undelivered.arn
    dev.finds(
        "shared-dead-letters",
        "Queue greenhouse-dev-alerts-undelivered holds the dead letters of queue "
        "greenhouse-dev-alerts and the rules to greenhouse-dev-alerts: nobody could put one back "
        "where it belongs, and one consumer's flood would hide the other's. Give each its own.",
    )
