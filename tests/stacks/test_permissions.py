"""Who may do what: as much as it needs, and nothing more."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from contracts.catalogue import events
from stacks.naming import bus_name
from tests.stacks.conftest import Templates
from tests.stacks.template import Resource, Template, consumers, texts

STAGES = ("local", "dev", "prod")
# They know no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/
WITHOUT_RESOURCES = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "dynamodb:ListStreams",
}
PUBLISHERS = {
    "orders-outbox": {("shop.orders", "OrderPlaced")},
    "payments": {("shop.payments", "PaymentTaken"), ("shop.payments", "PaymentDeclined")},
}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def functions(templates: Mapping[str, Template]) -> Iterator[tuple[Template, Resource]]:
    for template in templates.values():
        for function in template.all("Lambda::Function"):
            yield template, function


def may_publish(template: Template, function: Resource) -> list[Mapping[str, Any]]:
    return [
        statement
        for statement in template.statements(function)
        if "events:PutEvents" in listed(statement["Action"])
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_only_what_publishes_may_put_events_and_only_those_that_it_declares(
    templates: Templates, stage: str
) -> None:
    allowed: dict[str, set[tuple[str, str]]] = {}
    for template, function in functions(templates(stage)):
        name = function.properties["FunctionName"].removeprefix(f"{bus_name(stage)}-")
        for statement in may_publish(template, function):
            (operator,) = statement["Condition"]
            assert operator in ("StringEquals", "StringEqualsIfExists")
            condition = statement["Condition"][operator]
            assert set(condition) == {"events:source", "events:detail-type"}
            for source in listed(condition["events:source"]):
                for detail_type in listed(condition["events:detail-type"]):
                    allowed.setdefault(name, set()).add((source, detail_type))
    assert {name: allowed.get(name) for name in PUBLISHERS} == PUBLISHERS
    known = {(event.source(), event.detail_type()) for event in events().values()}
    assert all(pairs <= known for pairs in allowed.values())


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_may_publish_another_services_events(templates: Templates, stage: str) -> None:
    for template, function in functions(templates(stage)):
        service = function.properties["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        for statement in may_publish(template, function):
            (condition,) = statement["Condition"].values()
            assert condition["events:source"] == f"shop.{service.replace('-', '_')}"


@pytest.mark.parametrize("stage", STAGES)
def test_events_go_on_the_systems_own_bus_only(templates: Templates, stage: str) -> None:
    for template, function in functions(templates(stage)):
        for statement in may_publish(template, function):
            (arn,) = listed(statement["Resource"])
            assert arn["Fn::Join"][1][-1] == f":event-bus/{bus_name(stage)}"
            bus = function.properties["Environment"]["Variables"]["EVENT_BUS_NAME"]
            assert bus == bus_name(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_no_role_is_allowed_a_wildcard_of_actions(templates: Templates, stage: str) -> None:
    for template in templates(stage).values():
        for policy in template.all("IAM::Policy"):
            for statement in policy.properties["PolicyDocument"]["Statement"]:
                assert "NotAction" not in statement
                assert not any("*" in action for action in listed(statement["Action"]))


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_on_aws_all_resources_are_named_where_an_action_knows_any(
    templates: Templates, stage: str
) -> None:
    for template in templates(stage).values():
        for policy in template.all("IAM::Policy"):
            for statement in policy.properties["PolicyDocument"]["Statement"]:
                assert "NotResource" not in statement
                if "*" in "".join(texts(statement["Resource"])):
                    assert set(listed(statement["Action"])) <= WITHOUT_RESOURCES


@pytest.mark.parametrize("stage", STAGES)
def test_every_function_has_a_role_of_its_own_without_managed_policies(
    templates: Templates, stage: str
) -> None:
    for template in templates(stage).values():
        roles = [function.properties["Role"] for function in template.all("Lambda::Function")]
        assert len(roles) == len({str(role) for role in roles})
        for role in template.all("IAM::Role"):
            assert "ManagedPolicyArns" not in role.properties
            assert role.properties["AssumeRolePolicyDocument"]["Statement"] == [
                {
                    "Action": "sts:AssumeRole",
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                }
            ]


@pytest.mark.parametrize("stage", STAGES)
def test_a_consumer_reads_its_own_queue_and_no_other(templates: Templates, stage: str) -> None:
    for consumer in consumers(templates(stage)):
        read = [
            statement["Resource"]
            for statement in consumer.template.statements(consumer.function)
            if "sqs:ReceiveMessage" in listed(statement["Action"])
        ]
        assert read == [consumer.queue.arn]


@pytest.mark.parametrize("stage", STAGES)
def test_an_alarm_reaches_the_topic(templates: Templates, stage: str) -> None:
    broker = templates(stage)[f"{bus_name(stage)}-broker"]
    (policy,) = broker.all("SNS::TopicPolicy")
    (topic,) = broker.all("SNS::Topic")
    allowed = [
        statement
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    assert [(s["Principal"], s["Action"], s["Resource"]) for s in allowed] == [
        ({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish", topic.ref)
    ]
    key = broker.at(topic.properties["KmsMasterKeyId"])
    users = [statement["Principal"] for statement in key.properties["KeyPolicy"]["Statement"]]
    assert {"Service": "cloudwatch.amazonaws.com"} in users
