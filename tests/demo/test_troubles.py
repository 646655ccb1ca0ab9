"""The shop's part of "Break things": orders, the payment provider, the mail service."""

from decimal import Decimal
from threading import Event
from typing import Any, cast

import pytest
from urllib3.exceptions import HTTPError

from demo.purchases import Purchase
from demo.shop import OrderRefused, Shop
from demo.troubles import Orders, Placed, actions, troubles
from patchbay.console.additions import Progress, Trouble, find
from patchbay.processes.waiting import wait_until

SECONDS = 10
PURCHASES = [Purchase(number, f"customer-{number}", 1, Decimal(9)) for number in range(1, 6)]


class Counter:
    """The shop, which takes orders once it is open, and refuses some."""

    def __init__(self) -> None:
        self.took: list[int] = []
        self.refuses: dict[int, Exception] = {}
        self.is_open = Event()
        self.behaviour: dict[str, Any] = {"mode": "ok", "decline_above": None}
        self.mails: list[str] = []
        self.malformed = 0

    def place(self, purchase: Purchase) -> str:
        assert self.is_open.wait(SECONDS)
        if refused := self.refuses.get(purchase.number):
            raise refused
        self.took.append(purchase.number)
        return "order"

    def provider_behaviour(self) -> dict[str, Any]:
        return self.behaviour

    def decline_nothing(self) -> None:
        self.behaviour = {"mode": "ok", "decline_above": None}

    def decline_above(self, limit: Decimal) -> None:
        self.behaviour = {"mode": "ok", "decline_above": str(limit)}

    def slow_payments_down(self) -> None:
        self.behaviour = {"mode": "slow", "decline_above": None}

    def take_payments_down(self) -> None:
        self.behaviour = {"mode": "down", "decline_above": None}

    def mails_go_out(self) -> bool:
        return self.mails[-1:] != ["held back"]

    def let_mails_out(self) -> None:
        self.mails.append("let out")

    def hold_mails_back(self) -> None:
        self.mails.append("held back")

    def put_malformed_event(self) -> None:
        self.malformed += 1


@pytest.fixture
def shop() -> Counter:
    return Counter()


@pytest.fixture
def orders(shop: Counter) -> Orders:
    return Orders(cast("Shop", shop), PURCHASES)


def end_of(orders: Orders) -> Placed:
    wait_until(lambda: not orders.placed().is_going_on, "all orders to be placed", SECONDS)
    return orders.placed()


def test_orders_are_placed_one_after_the_other_and_none_twice(
    shop: Counter, orders: Orders
) -> None:
    orders.place(2)
    orders.place(1)
    assert orders.placed() == Placed(3, 0)
    shop.is_open.set()
    assert end_of(orders) == Placed(3, 3)
    orders.place(2)
    assert end_of(orders) == Placed(2, 2)
    assert shop.took == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("why", [OrderRefused("it is closed"), HTTPError("it is closed")])
def test_one_that_is_refused_ends_it_and_the_reason_is_shown(
    shop: Counter, orders: Orders, why: Exception
) -> None:
    shop.refuses[2] = why
    shop.is_open.set()
    orders.place(4)
    assert end_of(orders) == Placed(4, 1, "it is closed")
    orders.place(1)
    assert end_of(orders) == Placed(1, 1)
    assert shop.took == [1, 3]


def test_that_there_are_no_more_purchases_is_shown(shop: Counter, orders: Orders) -> None:
    shop.is_open.set()
    orders.place(6)
    assert end_of(orders).refused == "There are no more purchases in the data."
    assert len(shop.took) == 5


def test_the_console_shows_how_many_orders_are_placed(shop: Counter, orders: Orders) -> None:
    assert orders.progress() is None
    orders.place(3)
    assert orders.progress() == Progress("0 of 3 placed.", is_going_on=True)
    shop.refuses[3] = OrderRefused("it is closed")
    shop.is_open.set()
    end_of(orders)
    assert orders.progress() == Progress("2 of 3 placed.", failure="it is closed")


def trouble(shop: Counter, id: str) -> Trouble:
    return find(troubles(cast("Shop", shop)), id)


@pytest.mark.parametrize("mode", ["well", "slow", "down", "declining"])
def test_the_provider_is_in_the_mode_that_it_was_switched_to(shop: Counter, mode: str) -> None:
    provider = trouble(shop, "provider")
    provider.switch("down")
    provider.switch(mode)
    assert provider.mode().name == mode


def test_every_mode_of_the_provider_is_tried() -> None:
    assert [mode.name for mode in trouble(Counter(), "provider").modes] == [
        "well",
        "slow",
        "down",
        "declining",
    ]


def test_the_mails_are_held_back_and_let_out(shop: Counter) -> None:
    mail = trouble(shop, "mail")
    for mode, log in (
        ("well", []),
        ("down", ["held back"]),
        ("down", ["held back"]),
        ("well", ["held back", "let out"]),
    ):
        mail.switch(mode)
        assert mail.mode().name == mode
        assert shop.mails == log


def test_a_malformed_order_is_put_on_the_bus(shop: Counter, orders: Orders) -> None:
    message = find(actions(cast("Shop", shop), orders), "malformed").run()
    assert message == (
        "A malformed order is on the bus: each consumer of orders gets one more dead letter."
    )
    assert shop.malformed == 1
