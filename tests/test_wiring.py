"""Wiring: an error in a template fails as it would on AWS, with the reason and the place.

Each test breaks one thing in a copy of the real templates.
"""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from patchbay.testkit.errors import NotDeployable, NotInTheKit
from patchbay.testkit.templates import Templates
from tests.shop import Shop

NOTIFICATIONS = "records-dev-notifications"
PAYMENTS = "records-dev-payments"

Change = Callable[[dict[str, Any]], object]


def broken(templates: Templates, stack: str, kind: str, change: Change) -> Templates:
    """The real system, with a change to every resource of one type in one stack."""
    body = copy.deepcopy(dict(templates.bodies[stack]))
    for resource in list(body["Resources"].values()):
        if resource["Type"] == f"AWS::{kind}":
            change(resource["Properties"])
    return templates.with_bodies({**templates.bodies, stack: body})


def reason_of_dead_letter(templates: Templates, consumer: str = "notifications") -> str:
    """Return the reason of the consumer's only dead letter; the other consumers are healthy."""
    with Shop(templates) as cloud:
        order = cloud.place_order()
        cloud.settle()
        for other in {"notifications", "payments"} - {consumer}:
            assert cloud.handled(other) == [order.event_id]
        assert cloud.dead_letters(consumer).causes == [order.event_id]
        (reason,) = cloud.dead_letters(consumer).reasons
        assert reason is not None
        return reason


def test_a_wrong_handler_path_fails_with_lambdas_message(templates: Templates) -> None:
    wrong = broken(
        templates, NOTIFICATIONS, "Lambda::Function",
        lambda it: it.update(Handler="functions.notifications.handle.handler"),
    )  # fmt: skip
    assert reason_of_dead_letter(wrong) == (
        "Runtime.ImportModuleError: Unable to import module 'functions.notifications.handle': "
        "No module named 'functions.notifications.handle'"
    )


def test_a_wrong_handler_name_is_reported(templates: Templates) -> None:
    wrong = broken(
        templates, NOTIFICATIONS, "Lambda::Function",
        lambda it: it.update(Handler="functions.notifications.handler.handle"),
    )  # fmt: skip
    assert (
        "Handler 'handle' missing on module 'functions.notifications.handler'"
        in reason_of_dead_letter(wrong)
    )


@pytest.mark.parametrize("variable", ["MAIL_FROM", "IDEMPOTENCY_TABLE", "CONSUMER"])
def test_a_missing_variable_is_named(variable: str, templates: Templates) -> None:
    wrong = broken(
        templates, NOTIFICATIONS, "Lambda::Function",
        lambda it: it["Environment"]["Variables"].pop(variable),
    )  # fmt: skip
    assert variable in reason_of_dead_letter(wrong)


def test_an_action_that_a_role_does_not_allow_is_denied_by_name(templates: Templates) -> None:
    def forget(policy: dict[str, Any]) -> None:
        statements = policy["PolicyDocument"]["Statement"]
        statements[:] = [s for s in statements if "ses:SendEmail" not in s["Action"]]

    reason = reason_of_dead_letter(broken(templates, NOTIFICATIONS, "IAM::Policy", forget))
    assert "records-dev-notifications is not authorized to perform: ses:SendEmail" in reason
    assert "identity/shop@example.com" in reason


def test_an_event_that_a_service_did_not_declare_is_denied(templates: Templates) -> None:
    def narrow(policy: dict[str, Any]) -> None:
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Action"] == "events:PutEvents":
                condition = statement["Condition"]["StringEqualsIfExists"]
                condition["events:detail-type"] = ["PaymentDeclined"]

    reason = reason_of_dead_letter(broken(templates, PAYMENTS, "IAM::Policy", narrow), "payments")
    assert "not authorized to perform: events:PutEvents" in reason
    assert "events:detail-type: PaymentTaken" in reason


def test_with_a_disabled_event_source_mapping_events_wait(templates: Templates) -> None:
    off = broken(
        templates, NOTIFICATIONS, "Lambda::EventSourceMapping", lambda it: it.update(Enabled=False)
    )
    with Shop(off) as cloud:
        cloud.place_order()
        cloud.settle()
        assert cloud.waiting("notifications") == 1
        assert "notifications: waiting in the queue" in cloud.history()


def test_a_rule_that_matches_nothing_is_reported_with_the_event(
    templates: Templates,
) -> None:
    def misspell(rule: dict[str, Any]) -> None:
        rule["EventPattern"]["detail-type"] = ["Orderplaced"]

    wrong = templates
    for stack in templates.bodies:
        wrong = broken(wrong, stack, "Events::Rule", misspell)
    with Shop(wrong) as cloud:
        cloud.place_order()
        cloud.settle()
        assert (
            'records-dev-notifications-shop-orders has the pattern {"detail-type": ["Orderplaced"]'
            in (cloud.log)
        )


def test_without_its_policy_a_queue_gets_nothing_and_the_event_is_kept(
    templates: Templates,
) -> None:
    def only_for_dead_letters(policy: dict[str, Any]) -> None:
        if "Undelivered" not in str(policy["Queues"]):
            policy["PolicyDocument"]["Statement"] = []

    wrong = broken(templates, NOTIFICATIONS, "SQS::QueuePolicy", only_for_dead_letters)
    with Shop(wrong) as cloud:
        order = cloud.place_order()
        cloud.settle()
        assert cloud.undelivered("notifications").causes == [order.event_id]
        assert "does not let EventBridge send" in str(cloud.undelivered("notifications").reasons)
        assert cloud.order(order.order_id).status == "shipped"


@pytest.mark.parametrize(
    ("stack", "kind", "change", "sentence"),
    [
        (
            PAYMENTS, "SQS::Queue", lambda it: it.update(VisibilityTimeout=59),
            "The visibility timeout of records-dev-payments is 59 s, shorter than the 60 s",
        ),
        (
            PAYMENTS, "IAM::Policy", lambda it: it["PolicyDocument"].update(Statement=[]),
            "The role of records-dev-payments does not allow sqs:ReceiveMessage",
        ),
        (
            PAYMENTS, "IAM::Role",
            lambda it: it["AssumeRolePolicyDocument"]["Statement"][0].update(
                Principal={"Service": "ec2.amazonaws.com"}
            ),
            "lambda.amazonaws.com may not assume the role of records-dev-payments",
        ),
        (
            PAYMENTS, "Events::Rule", lambda it: it.update(EventPattern={"source": []}),
            "records-dev-payments-shop-orders .* has an invalid event pattern",
        ),
        (
            PAYMENTS, "Events::Rule", lambda it: it.update(EventBusName="records-prod"),
            "is on the bus records-prod, which does not exist",
        ),
        (
            PAYMENTS, "Lambda::EventSourceMapping", lambda it: it.update(BatchSize=100),
            "need a batching window",
        ),
    ],
)  # fmt: skip
def test_a_template_that_aws_would_refuse_is_refused(
    stack: str, kind: str, change: Change, sentence: str, templates: Templates
) -> None:
    with pytest.raises(NotDeployable, match=sentence), Shop(broken(templates, stack, kind, change)):
        pass


@pytest.mark.parametrize(
    ("kind", "change", "sentence"),
    [
        ("Events::Rule", lambda it: it["Targets"][0].update(InputPath="$.detail"), "InputPath"),
        (
            "Lambda::EventSourceMapping", lambda it: it.update(ProvisionedPollerConfig={}),
            "ProvisionedPollerConfig",
        ),
        (
            "SQS::Queue", lambda it: it.update(QueueName={"Fn::ImportValue": "x"}),
            "Stack records-dev-payments uses Fn::ImportValue",
        ),
        (
            "IAM::Policy",
            lambda it: it["PolicyDocument"]["Statement"][0].update(
                Condition={"DateGreaterThan": {"aws:CurrentTime": "2026"}}, Action="*", Resource="*"
            ),
            "DateGreaterThan",
        ),
    ],
)  # fmt: skip
def test_a_resource_that_the_kit_does_not_know_is_named_and_never_ignored(
    kind: str, change: Change, sentence: str, templates: Templates
) -> None:
    with pytest.raises(NotInTheKit, match=sentence):
        order_something(broken(templates, PAYMENTS, kind, change))


def order_something(templates: Templates) -> None:
    with Shop(templates) as cloud:
        cloud.place_order()
        cloud.settle()


def test_an_unknown_resource_type_only_stops_tests_that_use_it(
    templates: Templates,
) -> None:
    body = copy.deepcopy(dict(templates.bodies[PAYMENTS]))
    body["Resources"]["Cache"] = {"Type": "AWS::ElastiCache::CacheCluster", "Properties": {}}
    order_something(templates.with_bodies({**templates.bodies, PAYMENTS: body}))
