"""The bucket of claims: what is too large for the bus waits there for whoever consumes it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from aws_cdk import Aws, Duration
from aws_cdk import aws_s3 as s3
from constructs import Construct

from patchbay.constructs.stage import Stage
from patchbay.events.claim import KEPT_FOR, folder
from patchbay.events.event import Event
from patchbay.guardrails.guard import accept
from patchbay.project.naming import claims_bucket

if TYPE_CHECKING:
    from patchbay.constructs.function import Function


class Claims(s3.Bucket):
    """Events' data by source, type and id, for as long as an event can come back."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id,
            bucket_name=bucket_name(stage),
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="forget",
                    expiration=Duration.days(KEPT_FOR.days),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            removal_policy=stage.removal_policy,
        )
        reason = "Only functions of this system reach it, and each logs what it publishes and gets."
        accept(self, {"AwsSolutions-S1": reason})


def bucket_name(stage: Stage) -> str:
    """The bucket's name, in whatever account and region it is deployed to."""
    return claims_bucket(stage.name, Aws.ACCOUNT_ID, Aws.REGION)


def allow_claims(
    function: "Function", stage: Stage, action: str, events: Iterable[type[Event]]
) -> None:
    """Let the function do that with the data of these events, and of no others."""
    function.function.add_environment("CLAIMS_BUCKET", bucket_name(stage))
    folders = sorted({folder(event.source(), event.detail_type()) for event in events})
    bucket = f"arn:{Aws.PARTITION}:s3:::{bucket_name(stage)}"
    function.allow(action, on=[f"{bucket}/{each}*" for each in folders])
    named = claims_bucket(stage.name, "<AWS::AccountId>", "<AWS::Region>")
    reason = "What it names is one type of events; there is a key for each."
    accept(
        function.role,
        {
            f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::{named}/{each}*]": reason
            for each in folders
        },
    )
