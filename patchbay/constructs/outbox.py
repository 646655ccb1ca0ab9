"""The transactional outbox: a table's stream feeds the function that publishes its new items."""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from patchbay.constructs.function import Function
from patchbay.constructs.queues import DeadLetterQueue
from patchbay.guardrails.guard import accept_any_resource

BATCH_SIZE = 100
# The stream keeps a record for 24 hours. Giving up after half of that leaves an operator the other
# half to redrive it, from the position in the dead letter.
GIVE_UP_AFTER = Duration.hours(12)


class Outbox(Construct):
    """The connection from a table's stream to the function that publishes its new items."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        table: dynamodb.Table,
        function: Function,
    ) -> None:
        super().__init__(scope, id)
        unpublished = DeadLetterQueue(self, "Unpublished", name=f"{name}-unpublished", of="stream")
        function.function.add_event_source(
            sources.DynamoEventSource(
                table,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=BATCH_SIZE,
                # An item that can't be published must not delay the others for long.
                bisect_batch_on_error=True,
                max_record_age=GIVE_UP_AFTER,
                on_failure=sources.SqsDlq(unpublished),
                filters=[
                    lambda_.FilterCriteria.filter(
                        {"eventName": lambda_.FilterRule.is_equal("INSERT")}
                    )
                ],
            )
        )
        accept_any_resource(
            function.role, "dynamodb:ListStreams", reason="Streams are listed for all tables."
        )
