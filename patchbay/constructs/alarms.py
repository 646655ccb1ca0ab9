"""Alarms: on dead letters, on the age of a queue or a stream, and on failed executions."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from patchbay.constructs.stage import named, removal_policy, stage_of
from patchbay.project.project import project

PERIOD = Duration.minutes(1)
MAX_AGE = Duration.minutes(15)
TOPIC = "alarms"


def add_alarm_topic(scope: Construct) -> sns.Topic:
    """Add the topic to which every alarm of the stage goes; people subscribe to it."""
    key = kms.Key(
        scope,
        "AlarmKey",
        description="Encrypts the alarms until they reach the people on call.",
        enable_key_rotation=True,
        removal_policy=removal_policy(scope),
    )
    # CloudWatch can publish to an encrypted topic only if the key's policy allows it.
    key.grant_encrypt_decrypt(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
    topic = sns.Topic(
        scope,
        "Alarms",
        topic_name=named(scope, TOPIC),
        display_name=f"{project().name} {stage_of(scope).name}",
        master_key=key,
        enforce_ssl=True,
    )
    # `enforce_ssl` gives the topic a policy, which then has to allow CloudWatch explicitly.
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AllowAlarms",
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}},
        )
    )
    return topic


def alarm_on_dead_letters(scope: Construct, name: str, queue: sqs.Queue) -> None:
    """Add an alarm that is raised by the first message in a dead-letter queue."""
    _alarm(
        scope,
        f"{queue.node.id}Alarm",
        name=name,
        description=f"{name} holds messages. Find out why, fix it, and redrive them.",
        metric=queue.metric_approximate_number_of_messages_visible(
            period=PERIOD, statistic="Maximum"
        ),
        threshold=1,
    )


def alarm_on_age(scope: Construct, name: str, queue: sqs.Queue) -> None:
    """Add an alarm that is raised when a queue's oldest message has waited too long."""
    _alarm(
        scope,
        "AgeAlarm",
        name=f"{name}-age",
        description=f"{name} is behind: its oldest message waits for {MAX_AGE.to_minutes()} min.",
        metric=queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum"),
        threshold=MAX_AGE.to_seconds(),
    )


def alarm_on_iterator_age(scope: Construct, name: str, function: lambda_.Function) -> None:
    """Add an alarm that is raised when a function is too far behind the end of its stream."""
    _alarm(
        scope,
        "IteratorAgeAlarm",
        name=f"{name}-iterator-age",
        description=f"{name} is {MAX_AGE.to_minutes()} min behind its stream, and drops records "
        "if this continues. Find out why it fails or is not invoked, and fix it.",
        metric=function.metric("IteratorAge", period=PERIOD, statistic="Maximum"),
        threshold=MAX_AGE.to_milliseconds(),
    )


def alarm_on_executions(scope: Construct, name: str, machine: sfn.StateMachine) -> None:
    """Add an alarm for each status, other than success, with which an execution can end."""
    for status, metric in {
        "failed": machine.metric_failed(period=PERIOD),
        "timed-out": machine.metric_timed_out(period=PERIOD),
        "aborted": machine.metric_aborted(period=PERIOD),
    }.items():
        _alarm(
            scope,
            f"{status.title().replace('-', '')}Alarm",
            name=f"{name}-{status}",
            description=f"An execution of {name} has ended: {status.replace('-', ' ')}. Find "
            "out why, fix it, and redrive it: it continues where it stopped.",
            metric=metric,
            threshold=1,
        )


def _alarm(
    scope: Construct,
    id: str,
    *,
    name: str,
    description: str,
    metric: cloudwatch.Metric,
    threshold: float,
) -> None:
    alarm = cloudwatch.Alarm(
        scope,
        id,
        alarm_name=named(scope, name),
        alarm_description=description,
        metric=metric,
        threshold=threshold,
        evaluation_periods=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    topic = Stack.of(scope).format_arn(service="sns", resource=named(scope, TOPIC))
    alarm.add_alarm_action(actions.SnsAction(sns.Topic.from_topic_arn(scope, f"{id}Topic", topic)))
