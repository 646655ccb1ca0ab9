"""Those around the shop: what they are told, and what they say of themselves."""

from decimal import Decimal
from threading import Event
from typing import Any, cast

import pytest
from urllib3.exceptions import HTTPError

from demo.playground import ShopsPlayground
from demo.purchases import Purchase
from demo.shop import OrderRefused, Shop
from patchbay.console.playground import PROVIDERS, Placed, Provider
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


@pytest.fixture
def shop() -> Counter:
    return Counter()


@pytest.fixture
def playground(shop: Counter) -> ShopsPlayground:
    return ShopsPlayground(cast("Shop", shop), PURCHASES)


def end_of(playground: ShopsPlayground) -> Placed:
    wait_until(lambda: not playground.placed().is_going_on, "all orders to be placed", SECONDS)
    return playground.placed()


def test_orders_are_placed_one_after_the_other_and_none_twice(
    shop: Counter, playground: ShopsPlayground
) -> None:
    playground.place_orders(2)
    playground.place_orders(1)
    assert playground.placed() == Placed(3, 0)
    shop.is_open.set()
    assert end_of(playground) == Placed(3, 3)
    playground.place_orders(2)
    assert end_of(playground) == Placed(2, 2)
    assert shop.took == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("why", [OrderRefused("it is closed"), HTTPError("it is closed")])
def test_one_that_is_refused_ends_it_and_says_why(
    shop: Counter, playground: ShopsPlayground, why: Exception
) -> None:
    shop.refuses[2] = why
    shop.is_open.set()
    playground.place_orders(4)
    assert end_of(playground) == Placed(4, 1, "it is closed")
    playground.place_orders(1)
    assert end_of(playground) == Placed(1, 1)
    assert shop.took == [1, 3]


def test_that_there_are_no_more_purchases_is_said(
    shop: Counter, playground: ShopsPlayground
) -> None:
    shop.is_open.set()
    playground.place_orders(6)
    assert end_of(playground).refused == "There are no more purchases in the data."
    assert len(shop.took) == 5


@pytest.mark.parametrize("be", PROVIDERS)
def test_the_provider_says_what_it_was_told_to_be(
    playground: ShopsPlayground, be: Provider
) -> None:
    playground.have_provider("down")
    playground.have_provider(be)
    assert playground.provider() == be
