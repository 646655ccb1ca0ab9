"""The shop's troubles and actions."""

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


class FakeShop:
    """A stand-in for the shop, which accepts orders once it is open, and refuses some."""

    def __init__(self) -> None:
        self.accepted: list[int] = []
        self.refuses: dict[int, Exception] = {}
        self.is_open = Event()
        self.behaviour: dict[str, Any] = {"mode": "ok", "decline_above": None}
        self.senders: list[str] = []
        self.malformed = 0

    def place(self, purchase: Purchase) -> str:
        assert self.is_open.wait(SECONDS)
        if refused := self.refuses.get(purchase.number):
            raise refused
        self.accepted.append(purchase.number)
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

    def can_send_mail(self) -> bool:
        return self.senders[-1:] != ["sender removed"]

    def verify_sender(self) -> None:
        self.senders.append("sender verified")

    def remove_sender(self) -> None:
        self.senders.append("sender removed")

    def publish_malformed_event(self) -> None:
        self.malformed += 1


@pytest.fixture
def shop() -> FakeShop:
    return FakeShop()


@pytest.fixture
def orders(shop: FakeShop) -> Orders:
    return Orders(cast("Shop", shop), PURCHASES)


def end_of(orders: Orders) -> Placed:
    wait_until(lambda: not orders.placed().is_going_on, "all orders to be placed", SECONDS)
    return orders.placed()


def test_orders_are_placed_one_after_the_other_and_none_twice(
    shop: FakeShop, orders: Orders
) -> None:
    orders.place(2)
    orders.place(1)
    assert orders.placed() == Placed(3, 0)
    shop.is_open.set()
    assert end_of(orders) == Placed(3, 3)
    orders.place(2)
    assert end_of(orders) == Placed(2, 2)
    assert shop.accepted == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("why", [OrderRefused("it is closed"), HTTPError("it is closed")])
def test_a_refused_order_ends_the_request_and_the_reason_is_shown(
    shop: FakeShop, orders: Orders, why: Exception
) -> None:
    shop.refuses[2] = why
    shop.is_open.set()
    orders.place(4)
    assert end_of(orders) == Placed(4, 1, "it is closed")
    orders.place(1)
    assert end_of(orders) == Placed(1, 1)
    assert shop.accepted == [1, 3]


def test_the_end_of_the_purchases_is_reported(shop: FakeShop, orders: Orders) -> None:
    shop.is_open.set()
    orders.place(6)
    assert end_of(orders).failure == "There are no more purchases to place."
    assert len(shop.accepted) == 5


def test_the_console_shows_how_many_orders_are_placed(shop: FakeShop, orders: Orders) -> None:
    assert orders.progress() is None
    orders.place(3)
    assert orders.progress() == Progress("0 of 3 placed.", is_going_on=True)
    shop.refuses[3] = OrderRefused("it is closed")
    shop.is_open.set()
    end_of(orders)
    assert orders.progress() == Progress("2 of 3 placed.", failure="it is closed")


def trouble(shop: FakeShop, id: str) -> Trouble:
    return find(troubles(cast("Shop", shop)), id)


@pytest.mark.parametrize("mode", ["well", "slow", "down", "declining"])
def test_the_provider_is_in_the_mode_that_it_was_switched_to(shop: FakeShop, mode: str) -> None:
    provider = trouble(shop, "provider")
    provider.switch("down")
    provider.switch(mode)
    assert provider.mode().name == mode


def test_the_provider_has_these_modes_and_no_other() -> None:
    assert [mode.name for mode in trouble(FakeShop(), "provider").modes] == [
        "well",
        "slow",
        "down",
        "declining",
    ]


def test_the_sender_is_removed_and_verified_once_each(shop: FakeShop) -> None:
    mail = trouble(shop, "mail")
    for mode, log in (
        ("well", []),
        ("down", ["sender removed"]),
        ("down", ["sender removed"]),
        ("well", ["sender removed", "sender verified"]),
    ):
        mail.switch(mode)
        assert mail.mode().name == mode
        assert shop.senders == log


def test_a_malformed_order_is_published(shop: FakeShop, orders: Orders) -> None:
    message = find(actions(cast("Shop", shop), orders), "malformed").run()
    assert message == (
        "A malformed order is published: each consumer of orders gets one more dead letter."
    )
    assert shop.malformed == 1
