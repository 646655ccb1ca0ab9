"""Properties of every consumer that the guardrails do not check."""

from typing import Any

import pytest

from patchbay.project.naming import bus_name, named
from patchbay.topology.consumers import ConsumerResources, consumers
from tests.stacks.conftest import Templates

STAGES = ("local", "dev", "prod")
DAY = 24 * 60 * 60
FORTNIGHT = 14 * DAY


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> str:
    stage: str = request.param
    return stage


@pytest.fixture
def found(stage: str, templates: Templates) -> list[ConsumerResources]:
    return consumers(templates(stage))


def test_there_are_consumers_to_check(found: list[ConsumerResources]) -> None:
    names = {consumer.name for consumer in found}
    assert {"notifications", "orders-status", "payments"} <= names


def test_a_consumer_has_its_own_rule_on_the_systems_bus(
    found: list[ConsumerResources], stage: str
) -> None:
    for consumer in found:
        assert consumer.rules
        for rule in consumer.rules:
            assert rule.properties["EventBusName"] == bus_name(stage)
            assert rule.properties["State"] == "ENABLED"
            assert [target["Arn"] for target in rule.properties["Targets"]] == [consumer.intake.arn]


def test_dead_letters_are_kept_a_fortnight_and_longer_than_the_queue_keeps_its_messages(
    found: list[ConsumerResources],
) -> None:
    for consumer in found:
        kept = consumer.queue.properties["MessageRetentionPeriod"]
        for queue in [consumer.dead_letters, *consumer.undelivered]:
            assert queue.properties["MessageRetentionPeriod"] == FORTNIGHT > kept


def test_an_undelivered_event_is_retried_for_a_day_and_then_kept(
    found: list[ConsumerResources],
) -> None:
    for consumer in found:
        for rule in consumer.rules:
            (target,) = rule.properties["Targets"]
            assert target["RetryPolicy"] == {
                "MaximumEventAgeInSeconds": DAY,
                "MaximumRetryAttempts": 185,
            }
        assert len(consumer.undelivered) == len(consumer.rules)
        for queue in consumer.undelivered:
            assert queue.body["Type"] == "AWS::SQS::Queue"
            assert queue.id not in {consumer.queue.id, consumer.dead_letters.id}


def alarm_topic(stage: str) -> dict[str, Any]:
    partition, region, account = "AWS::Partition", "AWS::Region", "AWS::AccountId"
    where = ["arn:", {"Ref": partition}, ":sns:", {"Ref": region}, ":", {"Ref": account}]
    return {"Fn::Join": ["", [*where, f":{named(stage, 'alarms')}"]]}


def test_an_alarm_is_raised_when_a_message_waits_for_a_quarter_of_an_hour(
    found: list[ConsumerResources],
) -> None:
    for consumer in found:
        (alarm,) = consumer.template.alarms_on(consumer.queue, "ApproximateAgeOfOldestMessage")
        assert alarm.properties["Threshold"] == 15 * 60


def test_every_alarm_goes_to_the_stages_topic(templates: Templates, stage: str) -> None:
    for template in templates(stage).values():
        for alarm in template.all("CloudWatch::Alarm"):
            assert alarm.properties["AlarmActions"] == [alarm_topic(stage)]


def test_every_function_has_a_log_retention_and_is_traced(templates: Templates, stage: str) -> None:
    for template in templates(stage).values():
        for function in template.all("Lambda::Function"):
            logs = template.named(function.properties["LoggingConfig"]["LogGroup"])
            assert logs.properties["RetentionInDays"] in (7, 90)
            assert (
                logs.properties["LogGroupName"]
                == f"/aws/lambda/{function.properties['FunctionName']}"
            )
            assert function.properties["TracingConfig"] == {"Mode": "Active"}


@pytest.mark.parametrize("deployed", ["dev", "prod"])
def test_on_aws_every_function_runs_on_graviton_with_the_newest_python(
    templates: Templates, deployed: str
) -> None:
    for template in templates(deployed).values():
        for function in template.all("Lambda::Function"):
            assert function.properties["Architectures"] == ["arm64"]
            assert function.properties["Runtime"] == "python3.14"


def test_a_consumer_has_the_urls_of_its_queues(found: list[ConsumerResources]) -> None:
    for consumer in found:
        variables = consumer.function.properties["Environment"]["Variables"]
        assert variables["QUEUE_URL"] == consumer.queue.ref
        assert variables["DEAD_LETTER_QUEUE_URL"] == consumer.dead_letters.ref


def test_a_consumer_uses_the_idempotency_table_of_its_service(
    found: list[ConsumerResources],
) -> None:
    remembering = set()
    for consumer in found:
        variables = consumer.function.properties["Environment"]["Variables"]
        if "IDEMPOTENCY_TABLE" not in variables:
            continue
        remembering.add(consumer.name)
        table = consumer.template.named(variables["IDEMPOTENCY_TABLE"])
        assert table.properties["TimeToLiveSpecification"]["Enabled"] is True
    assert {"notifications", "payments", "payments-refund"} <= remembering


def test_a_service_with_only_naturally_idempotent_consumers_has_no_idempotency_table(
    found: list[ConsumerResources],
) -> None:
    by_name = {consumer.name: consumer for consumer in found}
    for name in ("accounts-gifts", "accounts-statement", "fulfilment", "journal", "orders-status"):
        consumer = by_name[name]
        assert "IDEMPOTENCY_TABLE" not in consumer.function.properties["Environment"]["Variables"]
        tables = consumer.template.all("DynamoDB::Table")
        names = [table.properties["TableName"] for table in tables]
        assert not any(name.endswith("-idempotency") for name in names)
