"""Queues: work queues, which functions poll, and dead-letter queues."""

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from patchbay.constructs.alarms import alarm_on_dead_letters
from patchbay.constructs.stage import named, removal_policy
from patchbay.guardrails.guard import accept

DEAD_LETTER_RETENTION = Duration.days(14)  # SQS's own limit
WORK_RETENTION = Duration.days(4)
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY_FACTOR = 6  # times the function's timeout


class DeadLetterQueue(sqs.Queue):
    """A dead-letter queue, with an alarm that is raised by its first message."""

    def __init__(
        self, scope: Construct, id: str, *, name: str, of: str | None = None, fifo: bool = False
    ) -> None:
        """`of` names the source of the dead letters, where cdk-nag can't detect it."""
        super().__init__(
            scope,
            id,
            queue_name=named(scope, name) + (".fifo" if fifo else ""),
            # The CDK does not treat `false` like None.
            fifo=fifo or None,
            retention_period=DEAD_LETTER_RETENTION,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            removal_policy=removal_policy(scope),
        )
        if of:
            reason = f"It is the dead-letter queue of a {of}, which the check does not detect."
            accept(self, {"AwsSolutions-SQS3": reason})
        alarm_on_dead_letters(scope, name, self)


class WorkQueue(sqs.Queue):
    """A queue that a function polls: encrypted, TLS only, with a dead-letter queue."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        dead_letters: DeadLetterQueue,
        attempts: int,
        timeout: Duration,
        **fifo: Any,
    ) -> None:
        """`timeout` is the function's; `fifo` are the settings of a FIFO queue."""
        super().__init__(
            scope,
            id,
            queue_name=named(scope, name),
            **fifo,
            visibility_timeout=Duration.seconds(VISIBILITY_FACTOR * int(timeout.to_seconds())),
            retention_period=WORK_RETENTION,
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=attempts),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            removal_policy=removal_policy(scope),
        )
