"""FIFO batches: a failed record stops the later records of its message group."""

from typing import Any

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor
from aws_lambda_powertools.utilities.batch.exceptions import SQSFifoMessageGroupCircuitBreakerError

from patchbay.messaging import redelivery


class InGroups(SqsFifoPartialProcessor):
    """Handles each message group in order; no group waits for another."""

    def __init__(self) -> None:
        super().__init__(skip_group_on_error=True)

    def failure_handler(self, record: Any, exception: Any) -> Any:
        """Report a record as failed, and make one that was only skipped visible again.

        The group waits for the failed record anyway. While a skipped record is in flight, the group
        would wait for that one as well.
        """
        if exception[0] is SQSFifoMessageGroupCircuitBreakerError:
            redelivery.hide(record, 0)
        return super().failure_handler(record, exception)
