"""A consumer for tests: it records the events that it handles, and can be made to fail."""

from collections import defaultdict
from uuid import UUID

from patchbay.events.event import Event
from patchbay.messaging.consuming import consumer
from patchbay.messaging.publishing import publish
from tests.patchbay.messaging.queues import Handler
from tests.patchbay.messaging.samples import BedPicked


def a_picking(bed_id: str = "bed-1") -> BedPicked:
    return BedPicked(bed_id=bed_id, picker_id="picker-1", crates=2, kilos=9.99)


def pickings(count: int) -> list[BedPicked]:
    return [a_picking(f"bed-{number}") for number in range(1, count + 1)]


class OutOfOrder(Exception):
    """The error with which the recorder fails by default."""


class Crash(BaseException):
    """Nothing catches it: the function's process is gone."""


AN_EVENT_ID = UUID("7f4df6e0-9a57-4b6a-8d4f-0d6a3a1b2c3d")


class Recorder:
    """Handles BedPicked: `handler` is its Lambda handler, `handled` the order ids so far."""

    def __init__(self, *publishes: Event) -> None:
        self.attempted: list[str] = []
        self.handled: list[str] = []
        self._failures: defaultdict[str, list[BaseException]] = defaultdict(list)

        @consumer
        def handler(picked: BedPicked) -> None:
            self.attempted.append(picked.bed_id)
            publish(*publishes)
            if failures := self._failures[picked.bed_id]:
                raise failures.pop(0)
            self.handled.append(picked.bed_id)

        self.handler: Handler = handler

    def fail(
        self, bed_id: str = "bed-1", *, times: int = 1, error: BaseException | None = None
    ) -> None:
        """Make the next attempts at that order fail, after it has published."""
        self._failures[bed_id] += [error or OutOfOrder("it does not work today")] * times
