from decimal import Decimal
from threading import Event, Thread

import pytest

from demo.drive import AT_ONCE, Progress, drive
from demo.purchases import Purchase
from demo.shop import OrderRefused
from patchbay.processes.waiting import wait_until

INCIDENTS = ["mail down", "malformed", "mail up"]


class FakeShop:
    """A stand-in for the shop that records the calls in their order."""

    def __init__(self, *, refuse: int | None = None, stall_from: int | None = None) -> None:
        self.log: list[str] = []
        self.limit: Decimal | None = None
        self.stalled: set[int] = set()
        self.go_on = Event()
        self._refuse = refuse
        self._stall_from = stall_from

    def place(self, purchase: Purchase) -> str:
        self.log.append("order")
        if self._stall_from and purchase.number >= self._stall_from:
            self.stalled.add(purchase.number)
            self.go_on.wait()
        if purchase.number == self._refuse:
            raise OrderRefused("no")
        return f"order-{purchase.number}"

    def incidents(self) -> list[str]:
        return [each for each in self.log if each in INCIDENTS]

    def decline_above(self, limit: Decimal) -> None:
        self.limit = limit

    def remove_sender(self) -> None:
        self.log.append("mail down")

    def verify_sender(self) -> None:
        self.log.append("mail up")

    def publish_malformed_event(self) -> None:
        self.log.append("malformed")


def purchases(count: int) -> list[Purchase]:
    return [Purchase(n, "00001", 1, Decimal(n)) for n in range(1, count + 1)]


def driven(count: int, shop: FakeShop) -> Progress:
    progress = Progress(total=count)
    drive(shop, purchases(count), progress, lambda: True)  # type: ignore[arg-type]
    return progress


@pytest.mark.parametrize("count", [1, 2, 3, 5, 100])
def test_every_purchase_is_ordered_once_and_every_incident_happens(count: int) -> None:
    shop = FakeShop()

    progress = driven(count, shop)

    assert len(progress.accepted) == count
    assert progress.done
    assert shop.incidents() == INCIDENTS


def test_the_mail_service_is_down_from_a_third_of_the_orders_to_two_thirds() -> None:
    shop = FakeShop()

    progress = driven(300, shop)

    # Orders that are pending at that moment may be recorded before or after it.
    assert abs(shop.log.index("mail down") - 100) <= AT_ONCE
    assert abs(shop.log.index("mail up") - 200) <= AT_ONCE + 2
    assert not progress.mail_is_down


def test_the_outage_lasts_until_a_consumer_has_failed() -> None:
    shop, has_failed = FakeShop(), Event()
    progress = Progress(total=30)
    driver = Thread(
        target=drive, args=(shop, purchases(30), progress, has_failed.is_set), daemon=True
    )
    driver.start()

    wait_until(lambda: shop.log.count("order") >= 20, "two thirds to be ordered", 10)
    assert shop.incidents() == ["mail down", "malformed"]

    has_failed.set()
    driver.join(10)
    assert shop.incidents() == INCIDENTS


def test_only_the_most_expensive_purchase_is_above_the_limit() -> None:
    shop = FakeShop()

    driven(10, shop)

    assert shop.limit is not None
    assert [p.number for p in purchases(10) if p.amount > shop.limit] == [10]


def test_a_limited_number_of_orders_is_pending_when_the_shop_stalls() -> None:
    shop = FakeShop(stall_from=200)
    driver = Thread(target=driven, args=(300, shop), daemon=True)
    driver.start()

    wait_until(lambda: len(shop.stalled) >= AT_ONCE, f"{AT_ONCE} orders to be pending", 10)
    assert shop.stalled == set(range(200, 200 + AT_ONCE))

    shop.go_on.set()
    driver.join(10)
    assert shop.log.count("order") == 300


def test_a_refused_order_ends_the_demo() -> None:
    with pytest.raises(OrderRefused):
        driven(50, FakeShop(refuse=7))
