"""Visibility timeouts and dead-letter queues."""

import pytest

from tests.patchbay.guardrails.broken import Broken

DAY = 24 * 60 * 60


def test_a_visibility_timeout_that_is_too_short_for_the_function_is_found(
    dev: Broken,
) -> None:
    dev.queue("alerts")["VisibilityTimeout"] = 30
    dev.finds(
        "visibility",
        "Queue greenhouse-dev-alerts: visibility timeout 30 s is below 6 times the function's "
        "timeout (60 s). A message would be delivered again while it is handled. Set it to at "
        "least 360 s.",
    )


def test_a_missing_property_has_awss_default(dev: Broken) -> None:
    del dev.queue("alerts")["VisibilityTimeout"]
    (finding,) = dev.found()
    assert "visibility timeout 30 s is below 6 times the function's timeout (60 s)" in finding.text
    del dev.function("alerts")["Timeout"]
    assert dev.found() == []
    dev.queue("alerts")["VisibilityTimeout"] = 17
    (finding,) = dev.found()
    assert "visibility timeout 17 s is below 6 times the function's timeout (3 s)" in finding.text


def test_the_batch_window_counts_as_well(dev: Broken) -> None:
    dev.mapping("alerts")["MaximumBatchingWindowInSeconds"] = 5
    (finding,) = dev.found()
    assert "(60 s) plus the batch window (5 s)." in finding.text
    assert finding.text.endswith("Set it to at least 365 s.")


def test_a_function_that_needs_more_than_sqss_longest_visibility_timeout_is_found(
    dev: Broken,
) -> None:
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
        "be handled would be retried until it expires, and then be lost. Give it one.",
    )


def test_a_dead_letter_queue_has_the_type_of_its_source_queue(dev: Broken) -> None:
    dev.queue("alerts").update(FifoQueue=True, ContentBasedDeduplication=True)
    (target,) = dev.rule("alerts-greenhouse-sensors")["Targets"]
    target["SqsParameters"] = {"MessageGroupId": "all"}
    dev.finds(
        "dead-letters",
        "Queue greenhouse-dev-alerts is a FIFO queue, and its dead-letter queue "
        "greenhouse-dev-alerts-dead-letters is a standard queue: SQS would refuse that at "
        "deployment. Make both the same.",
    )


@pytest.mark.parametrize(("retention", "kept"), [(4 * DAY, "4 days"), (DAY, "1 day")])
def test_dead_letters_are_kept_longer_than_messages(retention: int, kept: str, dev: Broken) -> None:
    dev.queue("alerts-dead-letters")["MessageRetentionPeriod"] = retention
    dev.finds(
        "dead-letters",
        f"Queue greenhouse-dev-alerts-dead-letters keeps dead letters for {kept}, and "
        "greenhouse-dev-alerts keeps messages for 4 days: a message's age counts from when it was "
        "first sent, so it could expire before anybody sees it. Keep dead letters longer: 14 days "
        "is SQS's limit.",
    )


@pytest.mark.parametrize("receives", [1, 1001])
def test_a_max_receive_count_out_of_bounds_is_found(receives: int, dev: Broken) -> None:
    dev.queue("alerts")["RedrivePolicy"]["maxReceiveCount"] = receives
    dev.finds(
        "dead-letters",
        f"Queue greenhouse-dev-alerts has a maxReceiveCount of {receives}: it must be between 2 "
        "and 1000. With 1, a function that is throttled once makes a dead letter; AWS advises 5 "
        "or more.",
    )


@pytest.mark.parametrize("receives", [2, 1000])
def test_a_max_receive_count_at_a_bound_passes(receives: int, dev: Broken) -> None:
    dev.queue("alerts")["RedrivePolicy"]["maxReceiveCount"] = receives
    assert dev.found() == []


def test_a_queue_keeps_messages_for_four_days_by_default(dev: Broken) -> None:
    del dev.queue("alerts")["MessageRetentionPeriod"]
    dev.queue("alerts-dead-letters")["MessageRetentionPeriod"] = 4 * DAY + 1
    assert dev.found() == []
    dev.queue("alerts-dead-letters")["MessageRetentionPeriod"] = 4 * DAY
    (finding,) = dev.found()
    assert "greenhouse-dev-alerts keeps messages for 4 days" in finding.text


def test_a_dead_letter_queue_has_no_dead_letter_queue_itself(dev: Broken) -> None:
    dev.queue("alerts-dead-letters")["RedrivePolicy"] = {
        "deadLetterTargetArn": "arn:aws:sqs:eu-west-1:111122223333:somewhere",
        "maxReceiveCount": 5,
    }
    dev.finds(
        "dead-letters-stay",
        "Queue greenhouse-dev-alerts-dead-letters is a dead-letter queue and has one itself: "
        "browsing a dead letter a few times would move it on. Remove its RedrivePolicy.",
    )


def test_a_dead_letter_queue_has_one_source(dev: Broken) -> None:
    undelivered = dev.the("SQS::Queue", "alerts-undelivered")
    dev.queue("alerts")["RedrivePolicy"]["deadLetterTargetArn"] = undelivered.arn
    dev.finds(
        "shared-dead-letters",
        "Queue greenhouse-dev-alerts-undelivered holds the dead letters of queue "
        "greenhouse-dev-alerts and the rules to greenhouse-dev-alerts: a dead letter could not be "
        "redriven to its source, and many from one source would hide the other's. Give each its "
        "own.",
    )
