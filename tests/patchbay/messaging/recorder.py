"""A consumer for tests: it writes down what it handles, and fails when it is told to."""

from collections import defaultdict
from uuid import UUID

from contracts.orders import OrderPlaced
from patchbay.events.event import Event
from patchbay.messaging.consuming import consumer
from patchbay.messaging.publishing import publish
from tests.queues import Handler


def an_order(order_id: str = "order-1") -> OrderPlaced:
    return OrderPlaced(order_id=order_id, customer_id="customer-1", items=2, amount=9.99)


def orders(count: int) -> list[OrderPlaced]:
    return [an_order(f"order-{number}") for number in range(1, count + 1)]


class OutOfOrder(Exception):
    """What the recorder fails with unless it is told otherwise."""


class Crash(BaseException):
    """Nothing catches it: the function's process is gone."""


AN_EVENT_ID = UUID("7f4df6e0-9a57-4b6a-8d4f-0d6a3a1b2c3d")


class Recorder:
    """Handles OrderPlaced: `handler` is its Lambda handler, `handled` the order ids so far."""

    def __init__(self, *publishes: Event) -> None:
        self.attempted: list[str] = []
        self.handled: list[str] = []
        self._failures: defaultdict[str, list[BaseException]] = defaultdict(list)

        @consumer
        def handler(order: OrderPlaced) -> None:
            self.attempted.append(order.order_id)
            publish(*publishes)
            if failures := self._failures[order.order_id]:
                raise failures.pop(0)
            self.handled.append(order.order_id)

        self.handler: Handler = handler

    def fail(
        self, order_id: str = "order-1", *, times: int = 1, error: BaseException | None = None
    ) -> None:
        """Make the next attempts at that order fail, after it has published."""
        self._failures[order_id] += [error or OutOfOrder("it does not work today")] * times
