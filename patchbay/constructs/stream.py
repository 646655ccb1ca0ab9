"""A Kinesis stream, and its consumer: in order, in windows, with retries of each batch."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from patchbay.constructs.alarms import alarm_on_iterator_age
from patchbay.constructs.function import Function
from patchbay.constructs.queues import DeadLetterQueue
from patchbay.constructs.stage import named

WINDOW = Duration.minutes(1)
BATCH_SIZE = 100
BATCHING_WINDOW = Duration.seconds(5)
# Lambda waits for up to a minute between retries: an outage of half an hour loses nothing, and the
# alarm on the iterator's age is raised before the first record is given up.
MAX_RETRIES = 30
# The stream keeps a record for 24 hours. Giving up after half of that leaves an operator the other
# half to redrive it, from the position in the dead letter.
GIVE_UP_AFTER = Duration.hours(12)


class Stream(kinesis.Stream):
    """An on-demand stream, encrypted."""

    def __init__(self, scope: Construct, id: str, *, name: str) -> None:
        super().__init__(
            scope,
            id,
            stream_name=named(scope, name),
            stream_mode=kinesis.StreamMode.ON_DEMAND,
            encryption=kinesis.StreamEncryption.MANAGED,
            # Its records expire within a day in any case.
            removal_policy=RemovalPolicy.DESTROY,
        )


class StreamConsumer(Construct):
    """A stream's event source mapping; the position of a failed batch becomes a dead letter."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        stream_arn: str,
        function: Function,
        window: Duration,
        batch_size: int,
    ) -> None:
        super().__init__(scope, id)
        failed = DeadLetterQueue(self, "Failed", name=f"{name}-failed", of="stream")
        failed.grant_send_messages(function.role)
        function.allow(
            "kinesis:DescribeStream",
            "kinesis:DescribeStreamSummary",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
            on=[stream_arn],
        )
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "Mapping",
            function_name=function.function.function_name,
            event_source_arn=stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=batch_size,
            maximum_batching_window_in_seconds=BATCHING_WINDOW.to_seconds(),
            tumbling_window_in_seconds=window.to_seconds(),
            function_response_types=["ReportBatchItemFailures"],
            # A batch that fails as a whole is bisected, until the bad record is alone.
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=MAX_RETRIES,
            maximum_record_age_in_seconds=GIVE_UP_AFTER.to_seconds(),
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(
                    destination=failed.queue_arn
                )
            ),
        )
        # When Lambda creates the mapping, it checks that the role may read and send.
        mapping.node.add_dependency(function.role)
        alarm_on_iterator_age(self, name, function.function)
