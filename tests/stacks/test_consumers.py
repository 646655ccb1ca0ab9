"""What every consumer has, whichever there are: a new service is held to it without a line here."""

from typing import Any

import pytest

from stacks.naming import bus_name, named
from tests.stacks.conftest import Templates
from tests.stacks.template import ConsumerParts, Resource, consumers

STAGES = ("local", "dev", "prod")
DAY = 24 * 60 * 60
FORTNIGHT = 14 * DAY


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> str:
    stage: str = request.param
    return stage


@pytest.fixture
def found(stage: str, templates: Templates) -> list[ConsumerParts]:
    return consumers(templates(stage))


def queues_of(consumer: ConsumerParts) -> list[Resource]:
    return [consumer.queue, consumer.dead_letters, *consumer.undelivered]


def test_there_are_consumers_to_check(found: list[ConsumerParts]) -> None:
    names = {consumer.name for consumer in found}
    assert {"notifications", "orders-status", "payments"} <= names


def test_a_consumer_has_its_own_rule_on_the_systems_bus(
    found: list[ConsumerParts], stage: str
) -> None:
    for consumer in found:
        assert consumer.rules
        for rule in consumer.rules:
            assert rule.properties["EventBusName"] == bus_name(stage)
            assert rule.properties["State"] == "ENABLED"
            assert [target["Arn"] for target in rule.properties["Targets"]] == [consumer.queue.arn]


def test_what_can_not_be_handled_becomes_a_dead_letter(found: list[ConsumerParts]) -> None:
    for consumer in found:
        assert consumer.queue.properties["RedrivePolicy"]["maxReceiveCount"] >= 3
        assert "RedrivePolicy" not in consumer.dead_letters.properties


def test_dead_letters_are_kept_a_fortnight_and_longer_than_the_queue_keeps_its_messages(
    found: list[ConsumerParts],
) -> None:
    for consumer in found:
        kept = consumer.queue.properties["MessageRetentionPeriod"]
        for queue in [consumer.dead_letters, *consumer.undelivered]:
            assert queue.properties["MessageRetentionPeriod"] == FORTNIGHT > kept


def test_what_can_not_be_delivered_is_retried_for_a_day_and_then_kept(
    found: list[ConsumerParts],
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


def test_only_the_consumers_own_rules_may_send_to_its_queues(found: list[ConsumerParts]) -> None:
    for consumer in found:
        for queue in [consumer.queue, *consumer.undelivered]:
            allowed = [s for s in consumer.policy_of(queue) if s["Effect"] == "Allow"]
            senders = [s["Condition"]["ArnEquals"]["aws:SourceArn"] for s in allowed]
            assert senders == [rule.arn for rule in consumer.rules]
            for statement in allowed:
                assert statement["Principal"] == {"Service": "events.amazonaws.com"}
                assert statement["Resource"] == queue.arn
                assert "*" not in str(statement["Action"])
        dead_letters = consumer.policy_of(consumer.dead_letters)
        assert [s["Effect"] for s in dead_letters] == ["Deny"]


def test_its_queues_take_nothing_that_does_not_come_over_tls(found: list[ConsumerParts]) -> None:
    for consumer in found:
        for queue in queues_of(consumer):
            assert {
                "Action": "sqs:*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Resource": queue.arn,
            } in consumer.policy_of(queue)


def test_its_queues_are_encrypted(found: list[ConsumerParts]) -> None:
    for consumer in found:
        for queue in queues_of(consumer):
            assert queue.properties["SqsManagedSseEnabled"] is True


def test_a_message_stays_hidden_six_times_as_long_as_the_function_may_run(
    found: list[ConsumerParts],
) -> None:
    for consumer in found:
        timeout = consumer.function.properties["Timeout"]
        assert consumer.queue.properties["VisibilityTimeout"] == 6 * timeout


def test_one_records_failure_is_not_its_batchs(found: list[ConsumerParts]) -> None:
    for consumer in found:
        assert consumer.mapping.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_no_consumer_can_take_all_of_the_accounts_concurrency(found: list[ConsumerParts]) -> None:
    for consumer in found:
        assert 2 <= consumer.mapping.properties["ScalingConfig"]["MaximumConcurrency"] <= 100


def alarm_topic(stage: str) -> dict[str, Any]:
    partition, region, account = "AWS::Partition", "AWS::Region", "AWS::AccountId"
    where = ["arn:", {"Ref": partition}, ":sns:", {"Ref": region}, ":", {"Ref": account}]
    return {"Fn::Join": ["", [*where, f":{named(stage, 'alarms')}"]]}


def test_the_first_dead_letter_raises_an_alarm(found: list[ConsumerParts], stage: str) -> None:
    for consumer in found:
        for queue in [consumer.dead_letters, *consumer.undelivered]:
            (alarm,) = consumer.alarms_on(queue, "ApproximateNumberOfMessagesVisible")
            assert alarm.properties["Threshold"] == 1
            assert alarm.properties["Statistic"] == "Maximum"
            assert alarm.properties["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
            assert alarm.properties["AlarmActions"] == [alarm_topic(stage)]


def test_falling_behind_raises_an_alarm(found: list[ConsumerParts], stage: str) -> None:
    for consumer in found:
        (alarm,) = consumer.alarms_on(consumer.queue, "ApproximateAgeOfOldestMessage")
        assert alarm.properties["Threshold"] == 15 * 60
        assert alarm.properties["AlarmActions"] == [alarm_topic(stage)]


def test_every_function_keeps_its_logs_for_a_while_and_is_traced(
    templates: Templates, stage: str
) -> None:
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


def test_a_consumer_remembers_what_it_has_done_in_its_own_services_table(
    found: list[ConsumerParts],
) -> None:
    for consumer in found:
        variables = consumer.function.properties["Environment"]["Variables"]
        table = consumer.template.named(variables["IDEMPOTENCY_TABLE"])
        assert table.properties["TimeToLiveSpecification"]["Enabled"] is True
        assert variables["QUEUE_URL"] == consumer.queue.ref
        assert variables["DEAD_LETTER_QUEUE_URL"] == consumer.dead_letters.ref
