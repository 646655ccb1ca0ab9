"""Where what failed for good waits for an operator."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from patchbay.constructs.alarms import alarm_on_dead_letters
from patchbay.constructs.stage import Stage
from patchbay.guardrails.guard import accept

RETENTION = Duration.days(14)  # SQS's own limit


class DeadLetterQueue(sqs.Queue):
    """A queue for dead letters, with an alarm that the first of them raises."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        name: str,
        of: str | None = None,
        fifo: bool = False,
    ) -> None:
        """`of` says what it is the dead-letter queue of, where cdk-nag can't see that itself."""
        super().__init__(
            scope,
            id,
            queue_name=stage.named(name) + (".fifo" if fifo else ""),
            # The CDK takes a `false` for another thing than none.
            fifo=fifo or None,
            retention_period=RETENTION,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            removal_policy=stage.removal_policy,
        )
        if of:
            reason = f"It is a {of}'s dead-letter queue, which the check can't see."
            accept(self, {"AwsSolutions-SQS3": reason})
        alarm_on_dead_letters(scope, stage, name, self)
