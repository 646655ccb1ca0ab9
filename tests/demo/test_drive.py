from decimal import Decimal
from threading import Event, Thread

import pytest

from demo.drive import AT_ONCE, Progress, drive
from demo.purchases import Purchase
from demo.shop import OrderRefused
from patchbay.processes.waiting import wait_until

TROUBLE = ["mails down", "malformed", "mails up"]


class FakeShop:
    """Stands in for the network: notes what is asked of the shop, and in which order."""

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

    def trouble(self) -> list[str]:
        return [each for each in self.log if each in TROUBLE]

    def decline_above(self, limit: Decimal) -> None:
        self.limit = limit

    def hold_mails_back(self) -> None:
        self.log.append("mails down")

    def let_mails_out(self) -> None:
        self.log.append("mails up")

    def put_malformed_event(self) -> None:
        self.log.append("malformed")


def purchases(count: int) -> list[Purchase]:
    return [Purchase(n, "00001", 1, Decimal(n)) for n in range(1, count + 1)]


def driven(count: int, shop: FakeShop) -> Progress:
    progress = Progress(total=count)
    drive(shop, purchases(count), progress, lambda: True)  # type: ignore[arg-type]
    return progress


@pytest.mark.parametrize("count", [1, 2, 3, 5, 100])
def test_every_purchase_is_ordered_once_and_all_the_trouble_happens(count: int) -> None:
    shop = FakeShop()

    progress = driven(count, shop)

    assert len(progress.accepted) == count
    assert progress.done
    assert shop.trouble() == TROUBLE


def test_the_mails_are_down_from_a_third_of_the_way_to_two_thirds() -> None:
    shop = FakeShop()

    progress = driven(300, shop)

    # Those that are under way when it happens may be noted on either side of it.
    assert abs(shop.log.index("mails down") - 100) <= AT_ONCE
    assert abs(shop.log.index("mails up") - 200) <= AT_ONCE + 2
    assert not progress.mails_are_held


def test_the_outage_lasts_until_it_is_felt() -> None:
    shop, felt = FakeShop(), Event()
    progress = Progress(total=30)
    driver = Thread(target=drive, args=(shop, purchases(30), progress, felt.is_set), daemon=True)
    driver.start()

    wait_until(lambda: shop.log.count("order") >= 20, "two thirds to be ordered", 10)
    assert shop.trouble() == ["mails down", "malformed"]

    felt.set()
    driver.join(10)
    assert shop.trouble() == TROUBLE


def test_only_the_dearest_purchase_is_above_the_limit() -> None:
    shop = FakeShop()

    driven(10, shop)

    assert shop.limit is not None
    assert [p.number for p in purchases(10) if p.amount > shop.limit] == [10]


def test_so_many_orders_are_under_way_when_the_shop_stalls_and_no_more() -> None:
    shop = FakeShop(stall_from=200)
    driver = Thread(target=driven, args=(300, shop), daemon=True)
    driver.start()

    wait_until(lambda: len(shop.stalled) >= AT_ONCE, f"{AT_ONCE} orders to be under way", 10)
    assert shop.stalled == set(range(200, 200 + AT_ONCE))

    shop.go_on.set()
    driver.join(10)
    assert shop.log.count("order") == 300


def test_a_refused_order_ends_the_drive() -> None:
    with pytest.raises(OrderRefused):
        driven(50, FakeShop(refuse=7))
