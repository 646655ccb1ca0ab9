"""FIFO batches: a failed record stops the later records of its message group."""

from typing import Any

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor
from aws_lambda_powertools.utilities.batch.exceptions import SQSFifoMessageGroupCircuitBreakerError

from patchbay.messaging import redelivery


class InGroups(SqsFifoPartialProcessor):
    """A batch processor that handles each message group in order; no group waits for another."""

    def __init__(self) -> None:
        super().__init__(skip_group_on_error=True)

    def failure_handler(self, record: Any, exception: Any) -> Any:
        """Report a record as failed; if it was only skipped, make it visible again.

        The group waits for the failed record anyway. Without this, it would also wait until the
        visibility timeout of each skipped record ends.
        """
        if exception[0] is SQSFifoMessageGroupCircuitBreakerError:
            redelivery.change_visibility(record, 0)
        return super().failure_handler(record, exception)
