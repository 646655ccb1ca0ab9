"""Drives purchases through the shop, with trouble on the way."""

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
SECONDS_OF_OUTAGE = 30  # at most, from two thirds of the way on


@dataclass
class Progress:
    """How far the drive is."""

    total: int
    accepted: dict[str, Decimal] = field(default_factory=dict)
    """The amount of each accepted order, by its id."""
    mails_held_at: float | None = None
    """Seconds since the epoch, as is the other."""
    mails_let_out_at: float | None = None
    done: bool = False

    @property
    def mails_are_held(self) -> bool:
        return self.mails_held_at is not None and self.mails_let_out_at is None

    def during_the_outage(self, moment: float) -> bool:
        """Whether the mails were held back then."""
        began, ended = self.mails_held_at, self.mails_let_out_at
        return began is not None and began <= moment and (ended is None or moment <= ended)


def drive(
    shop: Shop,
    purchases: Sequence[Purchase],
    progress: Progress,
    outage_is_felt: Callable[[], bool],
) -> None:
    """Order everything that was purchased, several at a time, and note it in `progress`.

    A third of the way in, the mails are held back, and at two thirds let out again, once the outage
    is felt; half way, a malformed event is put on the bus. The dearest purchase is declined.
    Raises OrderRefused.
    """
    shop.decline_above(max(purchase.amount for purchase in purchases) - Decimal("0.01"))
    incidents = _incidents(shop, progress, outage_is_felt)
    under_way: dict[Future[str], Purchase] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for position, purchase in enumerate(purchases):
            for incident in incidents.pop(position, ()):
                incident()
            while len(under_way) >= AT_ONCE:
                _gather(under_way, progress)
            under_way[pool.submit(shop.place, purchase)] = purchase
        while under_way:
            _gather(under_way, progress)
    for left in incidents.values():
        for incident in left:
            incident()
    progress.done = True


def _gather(under_way: dict[Future[str], Purchase], progress: Progress) -> None:
    answered, _ = wait(under_way, return_when=FIRST_COMPLETED)
    for future in answered:
        progress.accepted[future.result()] = under_way.pop(future).amount


def _incidents(
    shop: Shop, progress: Progress, outage_is_felt: Callable[[], bool]
) -> dict[int, list[Callable[[], None]]]:
    """What happens before which order; where orders are few, several before the same."""

    def hold_mails_back() -> None:
        shop.hold_mails_back()
        progress.mails_held_at = time.time()

    def let_mails_out() -> None:
        with suppress(NotInTime):  # an outage that nobody feels must end as well
            wait_until(outage_is_felt, "a mail to be refused", SECONDS_OF_OUTAGE)
        shop.let_mails_out()
        progress.mails_let_out_at = time.time()

    happens: dict[int, list[Callable[[], None]]] = {}
    happens.setdefault(progress.total // 3, []).append(hold_mails_back)
    happens.setdefault(progress.total // 2, []).append(shop.put_malformed_event)
    happens.setdefault(2 * progress.total // 3, []).append(let_mails_out)
    return happens
