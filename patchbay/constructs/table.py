"""A DynamoDB table, which is retained where the stage keeps data."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from patchbay.constructs.stage import named, removal_policy, stage_of


class Table(dynamodb.Table):
    """A table billed by request, with point-in-time recovery of 35 days."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        key: str,
        sort: str | None = None,
        stream: bool = False,
        expires: str | None = None,
        index: str | None = None,
        index_holds: dynamodb.ProjectionType = dynamodb.ProjectionType.ALL,
    ) -> None:
        super().__init__(
            scope,
            id,
            table_name=named(scope, name),
            partition_key=_text(key),
            sort_key=_text(sort) if sort else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            stream=dynamodb.StreamViewType.NEW_IMAGE if stream else None,
            time_to_live_attribute=expires,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=stage_of(scope).keeps_data,
            removal_policy=removal_policy(scope),
        )
        if index:
            self.add_global_secondary_index(
                index_name=index, partition_key=_text(index), projection_type=index_holds
            )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
