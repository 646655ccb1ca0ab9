"""The driver of the demo: it places orders, and causes faults on the way."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

from demo.purchases import Purchase
from demo.shop import Shop
from patchbay.processes.waiting import NotInTime, wait_until

AT_ONCE = 8
SECONDS_OF_OUTAGE = 30  # that the mail outage is prolonged, at most, until a mail is refused


@dataclass
class Progress:
    """Progress of the driver."""

    total: int
    accepted: dict[str, Decimal] = field(default_factory=dict)
    """The amount of each accepted order, by its id."""
    mail_down_at: float | None = None
    """Seconds since the epoch."""
    mail_up_at: float | None = None
    """Seconds since the epoch."""
    done: bool = False

    @property
    def mail_is_down(self) -> bool:
        return self.mail_down_at is not None and self.mail_up_at is None

    def during_the_outage(self, moment: float) -> bool:
        """Return whether the mail service was down at that time."""
        began, ended = self.mail_down_at, self.mail_up_at
        return began is not None and began <= moment and (ended is None or moment <= ended)


def drive(
    shop: Shop,
    purchases: Sequence[Purchase],
    progress: Progress,
    has_failures: Callable[[], bool],
) -> None:
    """Place an order for each purchase, several at a time, and update `progress`.

    After a third of the orders the mail service goes down; after two thirds, and once a consumer
    has failed, it comes back. After half of them a malformed event is published. The most expensive
    purchase is declined. Raises OrderRefused.
    """
    shop.decline_above(max(purchase.amount for purchase in purchases) - Decimal("0.01"))
    incidents = _incidents(shop, progress, has_failures)
    pending: dict[Future[str], Purchase] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for position, purchase in enumerate(purchases):
            for incident in incidents.pop(position, ()):
                incident()
            while len(pending) >= AT_ONCE:
                _gather(pending, progress)
            pending[pool.submit(shop.place, purchase)] = purchase
        while pending:
            _gather(pending, progress)
    for remaining in incidents.values():
        for incident in remaining:
            incident()
    progress.done = True


def _gather(pending: dict[Future[str], Purchase], progress: Progress) -> None:
    done, _ = wait(pending, return_when=FIRST_COMPLETED)
    for future in done:
        progress.accepted[future.result()] = pending.pop(future).amount


def _incidents(
    shop: Shop, progress: Progress, has_failures: Callable[[], bool]
) -> dict[int, list[Callable[[], None]]]:
    """Return the incidents by the position of the order that they happen before."""

    def take_mail_down() -> None:
        shop.remove_sender()
        progress.mail_down_at = time.time()

    def bring_mail_up() -> None:
        with suppress(NotInTime):  # an outage without failures must end as well
            wait_until(has_failures, "a mail to be refused", SECONDS_OF_OUTAGE)
        shop.verify_sender()
        progress.mail_up_at = time.time()

    incidents: dict[int, list[Callable[[], None]]] = {}
    incidents.setdefault(progress.total // 3, []).append(take_mail_down)
    incidents.setdefault(progress.total // 2, []).append(shop.publish_malformed_event)
    incidents.setdefault(2 * progress.total // 3, []).append(bring_mail_up)
    return incidents
