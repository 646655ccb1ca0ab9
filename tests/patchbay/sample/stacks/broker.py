"""The broker: the bus, its archive, the claims, and the topic to which every alarm goes."""

from aws_cdk import Duration, Stack, Tags
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from patchbay.constructs.claims import Claims
from patchbay.constructs.stage import Stage
from patchbay.events.event import NAMESPACE
from patchbay.project.naming import SYSTEM

ARCHIVED_FOR = Duration.days(90)


class Broker(Stack):
    """Carries events from whoever publishes to whoever listens, and knows neither."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, stage.named("broker"), description=self.__doc__)
        Tags.of(self).add(f"{SYSTEM}:stage", stage.name)
        bus = events.EventBus(
            self, "Bus", event_bus_name=stage.bus_name, description="Every event of the system."
        )
        bus.apply_removal_policy(stage.removal_policy)
        if stage.has_archive:
            archive = bus.archive(
                "Archive",
                archive_name=stage.bus_name,
                description="Every event, for replays.",
                event_pattern=events.EventPattern(source=events.Match.prefix(f"{NAMESPACE}.")),
                retention=ARCHIVED_FOR,
            )
            archive.apply_removal_policy(stage.removal_policy)
        Claims(self, "Claims", stage=stage)
        self._alarm_topic(stage)

    def _alarm_topic(self, stage: Stage) -> None:
        key = kms.Key(
            self,
            "AlarmKey",
            description="Encrypts the alarms on their way to whoever is on call.",
            enable_key_rotation=True,
            removal_policy=stage.removal_policy,
        )
        # CloudWatch can't publish to an encrypted topic unless the key lets it.
        key.grant_encrypt_decrypt(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
        topic = sns.Topic(
            self,
            "Alarms",
            topic_name=stage.named("alarms"),
            display_name=f"{SYSTEM} {stage.name}",
            master_key=key,
            enforce_ssl=True,
        )
        # With a policy of its own, as `enforce_ssl` gives it, a topic takes nothing from CloudWatch
        # unless that policy says so.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AllowAlarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
