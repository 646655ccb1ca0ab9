"""The end of the demo's day: a large event, and the closing of the books."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from contracts.fulfilment import OrderShipped
from demo.settings import STAGE
from patchbay.local.cloud import LocalCloud
from patchbay.local.schedules import run_now
from patchbay.messaging.publishing import prepare
from patchbay.operations.catalogue.event_file import PreparedEvent
from patchbay.operations.catalogue.publish import publish

SCAN_BYTES = 3 * 1024 * 1024  # three times the largest event that the bus accepts


class ShippedWithScan(OrderShipped):
    """OrderShipped with an additional field: a scan of the signed slip."""

    scan: str

    @classmethod
    def detail_type(cls) -> str:
        return OrderShipped.detail_type()

    @classmethod
    def source(cls) -> str:
        return OrderShipped.source()


def publish_large_event(cloud: LocalCloud, order_id: str) -> None:
    """Publish OrderShipped again for an order, so large that it needs a claim check."""
    event = ShippedWithScan(
        order_id=order_id,
        customer_id="00001",
        items=1,
        warehouse="east",
        tracking="signed",
        scan="x" * SCAN_BYTES,
    )
    large = prepare(event)
    publish(cloud, STAGE, [PreparedEvent(1, large, order_id, has_own_id=False)])


def close_books(cloud: LocalCloud, since: datetime) -> None:
    """Run the accounts' schedule for each day since then, including today."""
    for day in _days(since.date(), datetime.now(UTC).date()):
        night = datetime(day.year, day.month, day.day, 3, tzinfo=UTC) + timedelta(days=1)
        run_now(cloud, "accounts-close", night)


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)
