"""Rules, their targets and queue policies: each mistake is a finding."""

import copy
import json
from typing import Any

import pytest

from tests.patchbay.guardrails.broken import Broken

ELSEWHERE = "arn:aws:sqs:eu-west-1:111122223333:somebodys"
WIDER = (
    "Queue greenhouse-dev-alerts grants more than sqs:SendMessage to "
    "greenhouse-dev-alerts-greenhouse-sensors: others could forge events or read them. Allow only "
    "events.amazonaws.com sqs:SendMessage, where aws:SourceArn is its own rule's."
)


def test_a_queue_that_does_not_let_its_rule_send_is_found(dev: Broken) -> None:
    dev.policy("alerts").remove(dev.allowed("alerts"))
    dev.finds(
        "queue-policy",
        "Queue greenhouse-dev-alerts does not let rule greenhouse-dev-alerts-greenhouse-sensors "
        "send to it: SQS would refuse EventBridge's requests, and no event would arrive. Allow "
        "events.amazonaws.com sqs:SendMessage, where aws:SourceArn is that rule's.",
    )


def test_a_queue_for_two_rules_must_let_both_send(dev: Broken) -> None:
    first, _ = (s for s in dev.policy("notes-undelivered") if s["Effect"] == "Allow")
    dev.policy("notes-undelivered").remove(first)
    (finding,) = dev.found()
    assert finding.text.startswith(
        "Queue greenhouse-dev-notes-undelivered does not let rule "
        "greenhouse-dev-notes-greenhouse-alerts send to it"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"Action": ["sqs:SendMessage", "sqs:ReceiveMessage"]},
        {"Action": "sqs:*"},
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Condition": {}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}}},
        {"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:events:eu:1:rule/other"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}},
    ],
)
def test_a_queue_that_accepts_messages_from_others_is_found(
    change: dict[str, Any], dev: Broken
) -> None:
    dev.policy("alerts").append(copy.deepcopy(dev.allowed("alerts")) | change)
    dev.finds("queue-policy", WIDER)


def test_a_dead_letter_queues_policy_lets_nobody_send(dev: Broken) -> None:
    queue = dev.the("SQS::Queue", "alerts-dead-letters")
    allowed = copy.deepcopy(dev.allowed("alerts")) | {"Resource": queue.arn}
    dev.policy("alerts-dead-letters").append(allowed)
    (finding,) = dev.found()
    assert finding.text.startswith(
        "Queue greenhouse-dev-alerts-dead-letters grants more than sqs:SendMessage to its rules "
        "(none)"
    )


def test_a_target_has_a_dead_letter_queue(dev: Broken) -> None:
    (target,) = dev.rule("alerts-greenhouse-sensors")["Targets"]
    del target["DeadLetterConfig"]
    dev.policy("alerts-undelivered").remove(dev.allowed("alerts-undelivered"))
    dev.finds(
        "target",
        "Rule greenhouse-dev-alerts-greenhouse-sensors has no dead-letter queue for what it can't "
        "deliver to queue greenhouse-dev-alerts: EventBridge would drop those events. Give the "
        "target a dead-letter queue, in this stack.",
    )


def test_a_rules_dead_letters_go_to_a_standard_queue(dev: Broken) -> None:
    dev.queue("alerts-undelivered")["FifoQueue"] = True
    dev.finds(
        "target",
        "Rule greenhouse-dev-alerts-greenhouse-sensors sends what it can't deliver to "
        "greenhouse-dev-alerts-undelivered, which is a FIFO queue: EventBridge writes dead "
        "letters to standard queues only, and would drop them. Use a standard queue.",
    )


@pytest.mark.parametrize("policy", [None, {"MaximumRetryAttempts": 0}])
def test_a_target_has_retries(policy: dict[str, int] | None, dev: Broken) -> None:
    (target,) = dev.rule("alerts-greenhouse-sensors")["Targets"]
    del target["RetryPolicy"]
    target |= {"RetryPolicy": policy} if policy else {}
    dev.finds(
        "target",
        "Rule greenhouse-dev-alerts-greenhouse-sensors does not set how often to retry delivery "
        "to queue greenhouse-dev-alerts: a transient error may lose an event. Set the target's "
        "MaximumRetryAttempts, 185 at most, and MaximumEventAgeInSeconds.",
    )


def test_a_target_in_another_stack_can_not_be_checked(dev: Broken) -> None:
    (target,) = dev.rule("alerts-greenhouse-sensors")["Targets"]
    target["Arn"] = ELSEWHERE
    dev.policy("alerts").remove(dev.allowed("alerts"))
    dev.finds(
        "target",
        "Rule greenhouse-dev-alerts-greenhouse-sensors has a target that is not in its stack. Its "
        "policy, its dead-letter queue and its other consumers can't be checked. Give the "
        "consumer a queue of its own, in the same stack as its rule.",
    )


def test_a_pattern_that_aws_would_refuse_is_refused_before_it_is_deployed(dev: Broken) -> None:
    dev.rule("alerts-greenhouse-sensors")["EventPattern"]["detail-type"] = [{"prefx": "Order"}]
    (finding,) = dev.found()
    assert finding.id == "pattern"
    assert finding.text.startswith(
        "Rule greenhouse-dev-alerts-greenhouse-sensors has an invalid pattern. AWS would refuse it "
        "at deployment: "
    )
    assert "prefx" in finding.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"detail-type": ["Readingtaken"]},
        {"detail-type": [{"prefix": "order"}]},
        {"source": ["greenhouse.sensor"]},
        {"source": ["greenhouse.alerts"]},
    ],
)
def test_a_rule_that_no_event_can_match_is_found(wrong: dict[str, Any], dev: Broken) -> None:
    dev.rule("alerts-greenhouse-sensors")["EventPattern"] |= wrong
    (finding,) = dev.found()
    assert finding.id == "pattern"
    assert finding.text.startswith(
        "Rule greenhouse-dev-alerts-greenhouse-sensors matches no event of the contracts: its "
        "pattern asks for {"
    )
    assert finding.text.endswith(
        "Its consumer would never receive an event. Take source and detail-type from the contract."
    )


def test_a_pattern_that_no_event_can_match_is_quoted(dev: Broken) -> None:
    dev.rule("alerts-greenhouse-sensors")["EventPattern"] = {
        "source": ["greenhouse.sensor"],
        "version": ["0"],
    }
    dev.finds(
        "pattern",
        "Rule greenhouse-dev-alerts-greenhouse-sensors matches no event of the contracts: its "
        'pattern asks for {"source": ["greenhouse.sensor"]}. Its consumer would never receive an '
        "event. Take source and detail-type from the contract.",
    )


def test_a_rule_that_filters_on_content_is_a_rule_for_the_event(dev: Broken) -> None:
    large = {"data": {"celsius": [{"numeric": [">", 100]}]}}
    dev.rule("alerts-greenhouse-sensors")["EventPattern"]["detail"] = large
    assert dev.found() == []


@pytest.mark.parametrize(
    ("detail", "field"),
    [
        ({"data": {"celsus": [{"numeric": [">", 100]}]}}, "detail.data.celsus"),
        ({"celsius": [{"numeric": [">", 100]}]}, "detail.celsius"),
        ({"metadata": {"sensor_id": [{"exists": True}]}}, "detail.metadata.sensor_id"),
    ],
)
def test_a_filter_on_a_field_that_no_event_has_is_found(
    detail: dict[str, Any], field: str, dev: Broken
) -> None:
    dev.rule("alerts-greenhouse-sensors")["EventPattern"]["detail"] = detail
    dev.finds(
        "pattern",
        "Rule greenhouse-dev-alerts-greenhouse-sensors can't match ReadingTaken: its pattern asks "
        f"for {field}, which that event does not have. Take the fields from contracts/sensors.py.",
    )


def test_a_filter_may_test_that_a_field_is_absent(dev: Broken) -> None:
    without = {"data": {"voucher": [{"exists": False}]}}
    dev.rule("alerts-greenhouse-sensors")["EventPattern"]["detail"] = without
    assert dev.found() == []


def test_a_rule_on_the_default_bus_may_be_for_events_of_aws(dev: Broken) -> None:
    rule = dev.rule("alerts-greenhouse-sensors")
    rule["EventPattern"] = {"source": ["aws.health"]}
    del rule["EventBusName"]
    assert dev.found() == []


def test_a_rule_may_be_on_a_schedule(dev: Broken) -> None:
    rule = dev.rule("alerts-greenhouse-sensors")
    del rule["EventPattern"]
    rule["ScheduleExpression"] = "rate(1 day)"
    assert dev.found() == []


def test_a_rule_has_five_targets_at_most(dev: Broken) -> None:
    rule = dev.rule("alerts-greenhouse-sensors")
    target = rule["Targets"][0]
    rule["Targets"] = [target] * 5
    assert dev.found() == []
    rule["Targets"] = [target] * 6
    dev.finds(
        "limits",
        "Rule greenhouse-dev-alerts-greenhouse-sensors has 6 targets, but EventBridge allows 5: "
        "it could not be deployed. Give each consumer a rule of its own.",
    )


def test_a_pattern_has_two_thousand_and_forty_eight_characters_at_most(dev: Broken) -> None:
    pattern = dev.rule("alerts-greenhouse-sensors")["EventPattern"]
    pattern["detail"] = {"data": {"sensor_id": [""]}}
    spare = 2048 - len(json.dumps(pattern, separators=(",", ":")))
    pattern["detail"]["data"]["sensor_id"] = ["o" * spare]
    assert dev.found() == []
    pattern["detail"]["data"]["sensor_id"] = ["o" * (spare + 1)]
    dev.finds(
        "limits",
        "Rule greenhouse-dev-alerts-greenhouse-sensors has a pattern of 2049 characters, but "
        "EventBridge allows 2048: it could not be deployed. Move some of the filter into the "
        "handler; or have the quota raised, and accept this finding.",
    )


def test_a_bus_has_three_hundred_rules_at_most_over_all_stacks(dev: Broken) -> None:
    rule = {
        "Type": "AWS::Events::Rule",
        "Properties": dev.rule("alerts-greenhouse-sensors") | {"Targets": []},
    }
    there = sum(len(template.all("Events::Rule")) for template in dev.templates.values())
    dev.resources("sensors").update({f"First{number}": rule for number in range(150)})
    dev.resources("alerts").update({f"Second{number}": rule for number in range(150 - there)})
    assert dev.found() == []
    dev.resources("alerts")["OneMore"] = rule
    dev.finds(
        "limits",
        "Bus greenhouse-dev has 301 rules, but EventBridge allows 300: the last could not be "
        "deployed. Have the quota raised, and accept this finding on "
        "greenhouse-dev-alerts-greenhouse-sensors; or use a second bus.",
    )
