"""Alarms notify somebody of the first dead letter and of a consumer that falls behind."""

from typing import Any

import pytest

from tests.patchbay.guardrails.broken import Broken


@pytest.mark.parametrize(
    "queue", ["alerts-dead-letters", "alerts-undelivered", "sensors-unpublished"]
)
def test_every_dead_letter_queue_has_an_alarm(queue: str, dev: Broken) -> None:
    dev.remove("CloudWatch::Alarm", queue)
    dev.finds(
        "alarm",
        f"Queue greenhouse-dev-{queue} has no alarm on its ApproximateNumberOfMessagesVisible: "
        "nobody would notice a dead letter before it expires. Add one.",
    )


def test_a_consumer_that_falls_behind_raises_an_alarm(dev: Broken) -> None:
    dev.remove("CloudWatch::Alarm", "alerts-age")
    dev.finds(
        "alarm",
        "Queue greenhouse-dev-alerts has no alarm on its ApproximateAgeOfOldestMessage: nobody "
        "would notice a consumer that has stopped. Add one.",
    )


@pytest.mark.parametrize("change", [{"AlarmActions": []}, {"ActionsEnabled": False}])
def test_an_alarm_that_notifies_nobody_is_found(change: dict[str, Any], dev: Broken) -> None:
    dev.alarm("alerts-age").update(change)
    dev.finds(
        "alarm",
        "Alarm greenhouse-dev-alerts-age notifies nobody: it has no action, or its actions are "
        "disabled, and nobody would notice a consumer that has stopped. Have it notify the "
        "stage's topic.",
    )


def test_the_first_dead_letter_raises_the_alarm(dev: Broken) -> None:
    alarm = dev.alarm("alerts-dead-letters")
    alarm |= {"Threshold": 0, "ComparisonOperator": "GreaterThanThreshold"}
    assert dev.found() == []
    alarm["Threshold"] = 100
    dev.finds(
        "dead-letter-alarm",
        "Alarm greenhouse-dev-alerts-dead-letters is not raised by the first dead letter in "
        "greenhouse-dev-alerts-dead-letters: its threshold is 100. Set it to 1, "
        "GreaterThanOrEqualToThreshold.",
    )
