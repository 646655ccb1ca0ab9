"""A queue of work for a function: what it fails on too often goes to the dead letters."""

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from patchbay.constructs.dead_letter_queue import DeadLetterQueue
from patchbay.constructs.stage import Stage

RETENTION = Duration.days(4)


class WorkQueue(sqs.Queue):
    """Encrypted, for TLS only, and hidden for as long as AWS advises while a function is at it."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        name: str,
        dead_letters: DeadLetterQueue,
        max_receive_count: int,
        timeout: Duration,
        **fifo: Any,
    ) -> None:
        """`timeout` is the function's; `fifo` are the settings of a FIFO queue."""
        super().__init__(
            scope,
            id,
            queue_name=stage.named(name),
            **fifo,
            # AWS's advice: six times the function's own time.
            visibility_timeout=Duration.seconds(6 * int(timeout.to_seconds())),
            retention_period=RETENTION,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=dead_letters, max_receive_count=max_receive_count
            ),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            removal_policy=stage.removal_policy,
        )
