"""What becomes of a FIFO batch: a failed record stops those behind it in its message group."""

from typing import Any

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor
from aws_lambda_powertools.utilities.batch.exceptions import SQSFifoMessageGroupCircuitBreakerError

from patchbay.messaging import redelivery


class InGroups(SqsFifoPartialProcessor):
    """Handles each message group in its order, and no group waits for another."""

    def __init__(self) -> None:
        super().__init__(skip_group_on_error=True)

    def failure_handler(self, record: Any, exception: Any) -> Any:
        """Take a record for failed; one that was merely behind it is not kept from coming back.

        Its group has to wait for the failed record anyway, but as long as this one is in flight,
        the group would wait for it, too.
        """
        if exception[0] is SQSFifoMessageGroupCircuitBreakerError:
            redelivery.hide(record, 0)
        return super().failure_handler(record, exception)
