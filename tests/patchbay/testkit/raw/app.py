"""A CDK app without Patchbay: generated names, CDK's default roles, several stacks."""

from pathlib import Path
from typing import Any

from aws_cdk import App, CfnParameter, CfnResource, NestedStack, RemovalPolicy, Stack, Stage
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

HERE = Path(__file__).parent
PYTHON = lambda_.Runtime.PYTHON_3_13
FAILS = "def handler(event, context):\n    raise ValueError('no water')\n"
PRINTS = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"


class Beds(Stack):
    """A rule, a queue and a function, with a secret, a parameter and a table."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        dead = sqs.Queue(self, "Dead")
        self.jobs = sqs.Queue(
            self, "Jobs", dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=3, queue=dead)
        )
        secret = secretsmanager.Secret(self, "ApiKey")
        parameter = ssm.StringParameter(self, "Limit", string_value="7")
        table = dynamodb.TableV2(
            self,
            "Log",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            removal_policy=RemovalPolicy.DESTROY,
        )
        cache = CfnResource(self, "Cache", type="AWS::ElastiCache::CacheCluster")
        worker = lambda_.Function(
            self,
            "Worker",
            runtime=PYTHON,
            handler="index.handler",
            code=lambda_.Code.from_asset(str(HERE / "worker")),
            layers=[
                lambda_.LayerVersion(
                    self, "Words", code=lambda_.Code.from_asset(str(HERE / "layer"))
                )
            ],
            environment={
                "SECRET": secret.secret_arn,
                "PARAMETER": parameter.parameter_name,
                "TABLE": table.table_name,
                "CACHE": cache.get_att("RedisEndpoint.Address").to_string(),
            },
            log_retention=logs.RetentionDays.ONE_WEEK,
        )
        for each in (secret, parameter):
            each.grant_read(worker)
        table.grant_write_data(worker)
        worker.add_event_source(sources.SqsEventSource(self.jobs))
        events.Rule(
            self,
            "Dry",
            event_pattern=events.EventPattern(source=["greenhouse.sensors"]),
            targets=[targets.SqsQueue(self.jobs)],
        )


class Direct(Stack):
    """Functions that events, a topic and a schedule invoke, without a queue."""

    def __init__(self, scope: Construct, id: str, beds: Beds) -> None:
        super().__init__(scope, id)
        bus = events.EventBus(self, "Bus")
        fails = lambda_.Function(
            self,
            "Fails",
            runtime=PYTHON,
            handler="index.handler",
            code=lambda_.Code.from_inline(FAILS),
            dead_letter_queue_enabled=True,
        )
        events.Rule(
            self,
            "Frost",
            event_bus=bus,
            event_pattern=events.EventPattern(detail_type=["FrostWarned"]),
            targets=[targets.LambdaFunction(fails)],
        )
        region = CfnParameter(self, "Region", default="north")
        known = CfnParameter(self, "Unknown")
        prints = lambda_.Function(
            self,
            "Prints",
            runtime=PYTHON,
            handler="index.handler",
            code=lambda_.Code.from_inline(PRINTS),
            environment={
                "JOBS": beds.jobs.queue_url,
                "REGION_NAME": region.value_as_string,
                "UNKNOWN": known.value_as_string,
            },
            on_success=destinations.SqsDestination(sqs.Queue(self, "Printed")),
        )
        topic = sns.Topic(self, "Alarms")
        topic.add_subscription(subscriptions.LambdaSubscription(prints))
        topic.add_subscription(
            subscriptions.SqsSubscription(sqs.Queue(self, "Raw"), raw_message_delivery=True)
        )
        topic.add_subscription(subscriptions.EmailSubscription("gardener@example.com"))
        events.Rule(
            self,
            "Nightly",
            schedule=events.Schedule.cron(hour="3", minute="0"),
            targets=[targets.LambdaFunction(prints)],
        )
        events.Rule(
            self,
            "Changed",
            event_bus=bus,
            event_pattern=events.EventPattern(detail_type=["Changed"]),
            targets=[
                targets.LambdaFunction(
                    prints, event=events.RuleTargetInput.from_event_path("$.detail")
                )
            ],
        )
        Inner(self, "Inner", beds.jobs)


class Inner(NestedStack):
    """A nested stack, with a parameter from its parent."""

    def __init__(self, scope: Construct, id: str, jobs: sqs.Queue) -> None:
        super().__init__(scope, id)
        function = lambda_.Function(
            self,
            "Deep",
            runtime=PYTHON,
            handler="index.handler",
            code=lambda_.Code.from_inline(PRINTS),
            environment={"JOBS": jobs.queue_url},
        )
        jobs.grant_send_messages(function)


def build(outdir: str | None = None) -> Any:
    app = App(outdir=outdir, analytics_reporting=False)
    stage = Stage(app, "Prod")
    Direct(stage, "Direct", Beds(stage, "Beds"))
    return app.synth()


if __name__ == "__main__":
    build()
