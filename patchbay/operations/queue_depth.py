"""The depth of a queue: SQS's approximate number of messages in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WAITING = "ApproximateNumberOfMessages"
IN_FLIGHT = "ApproximateNumberOfMessagesNotVisible"
DELAYED = "ApproximateNumberOfMessagesDelayed"
ATTRIBUTES = (WAITING, IN_FLIGHT, DELAYED)


@dataclass(frozen=True)
class Depth:
    """The number of messages in a queue, by their state."""

    waiting: int = 0
    in_flight: int = 0
    """Received and not deleted, so invisible until their visibility timeout ends."""
    delayed: int = 0

    @property
    def total(self) -> int:
        """All messages in the queue."""
        return self.waiting + self.in_flight + self.delayed

    def __add__(self, other: "Depth") -> "Depth":
        return Depth(
            self.waiting + other.waiting,
            self.in_flight + other.in_flight,
            self.delayed + other.delayed,
        )


def depth(sqs: Any, url: str) -> Depth:
    """Ask SQS for the depth of a queue."""
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(ATTRIBUTES))
    return depth_in(answer["Attributes"])


def depth_in(attributes: Mapping[str, str]) -> Depth:
    """Read the depth from a queue's attributes."""
    waiting, in_flight, delayed = (int(attributes.get(name, 0)) for name in ATTRIBUTES)
    return Depth(waiting, in_flight, delayed)
