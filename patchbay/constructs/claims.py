"""The bucket of claims: it keeps event data that is too large for the bus."""

from aws_cdk import Aws, Duration
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from patchbay.constructs.stage import removal_policy, stage_of
from patchbay.events.claim import KEPT_FOR
from patchbay.guardrails.guard import accept
from patchbay.project.naming import claims_bucket


class Claims(s3.Bucket):
    """A bucket of events' data by source, type and id, for as long as they can be redelivered."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(
            scope,
            id,
            bucket_name=claims_bucket_name(scope),
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
            removal_policy=removal_policy(scope),
        )
        reason = "Only functions of this system reach it, and each logs what it publishes and gets."
        accept(self, {"AwsSolutions-S1": reason})


def claims_bucket_name(scope: IConstruct) -> str:
    """Return the bucket's name in the account and region of the stack."""
    return claims_bucket(stage_of(scope).name, Aws.ACCOUNT_ID, Aws.REGION)
