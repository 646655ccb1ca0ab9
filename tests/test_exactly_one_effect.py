"""Exactly one effect, whatever happens: random orders, faults, duplicates, delays and crashes.

A failure prints the shortest schedule that shows it, as the call of `play` that repeats it. Other
schedules, and more of them: `SCHEDULES=20000 SEED=7 pytest tests/test_exactly_one_effect.py`.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests.cloud.blueprint import Blueprint
from tests.cloud.faults import (
    CrashesAfterEffect,
    Duplicated,
    DynamoDBThrottled,
    Fault,
    Raises,
    RefusesEntries,
    Reordered,
    ReturnsGarbage,
    Slow,
    Throttled,
    TimesOut,
    Undeliverable,
)
from tests.cloud.shop import PlacedOrder, Shop
from tests.cloud.subscriptions import annotated

SCHEDULES = int(os.environ.get("SCHEDULES", "2000"))
SEED = int(os.environ.get("SEED", "0"))
PARTS = 8  # that run side by side
LIMIT = "100.00"  # above which the payment provider declines
ROUNDS = 5  # of redriving: each fault is over before the first

AMOUNTS = ("0", "0.01", "11.77", "100.00", "100.01")
FAULTS = (
    Raises(ConnectionError("by chance")), TimesOut(), Throttled(), CrashesAfterEffect(),
    ReturnsGarbage(), Duplicated(), Reordered(), Undeliverable(), RefusesEntries(),
    DynamoDBThrottled(), Slow(7),
)  # fmt: skip
FUNCTIONS = ("payments", "notifications", "orders-status", "orders-outbox", "payments-sandbox")


@dataclass(frozen=True)
class Place:
    """Somebody orders something; with a key, perhaps for the second time."""

    amount: str
    key: str | None = None


@dataclass(frozen=True)
class Break:
    """Something goes wrong for a function: for so many times at most, and for so long at most."""

    function: str
    fault: Fault
    times: int
    minutes: int


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    seconds: int


Step = Place | Break | Wait


def schedules(functions: Sequence[str] = FUNCTIONS) -> st.SearchStrategy[list[Step]]:
    places = st.builds(Place, st.sampled_from(AMOUNTS), st.none() | st.just("a key"))
    breaks = st.builds(
        Break,
        st.sampled_from(functions),
        st.sampled_from(FAULTS),
        times=st.integers(1, 4),
        minutes=st.sampled_from((1, 10, 60)),
    )
    waits = st.builds(Wait, st.sampled_from((1, 30, 400, 3600)))
    before = st.lists(breaks | waits, max_size=3)
    after = st.lists(breaks | waits | places, max_size=2)
    return st.tuples(before, places, after).map(lambda parts: [*parts[0], parts[1], *parts[2]])


def play(blueprint: Blueprint, schedule: list[Step]) -> None:
    """Run a schedule, put everything right, and see that all came to its one end."""
    with Shop(blueprint) as cloud:
        cloud.decline_above(LIMIT)
        orders = [order for step in schedule if (order := take(cloud, step))]
        cloud.settle()
        put_right(cloud)
        try:
            check(cloud, blueprint, {order.order_id: order for order in orders})
        except AssertionError as error:
            raise AssertionError(f"{error}\n{cloud.story()}") from error


def take(cloud: Shop, step: Step) -> PlacedOrder | None:
    match step:
        case Place(amount, key):
            # Under one key there is one order, whoever repeats it.
            return cloud.place_order(amount=amount, key=key and f"{key} for {amount}")
        case Break(function, fault, times, minutes):
            lasting = timedelta(minutes=minutes)
            cloud.break_(function, with_=fault, times=times, lasting=lasting)
        case Wait(seconds):
            cloud.advance(seconds=seconds)
    return None


def put_right(cloud: Shop) -> None:
    for function in FUNCTIONS:
        cloud.mend(function)
    for _ in range(ROUNDS):
        cloud.settle()
        if not sum(cloud.redrive(consumer) for consumer in cloud.consumers):
            return
    raise AssertionError(f"after {ROUNDS} rounds there are dead letters yet:\n{cloud.story()}")


def check(cloud: Shop, blueprint: Blueprint, orders: dict[str, PlacedOrder]) -> None:
    charges = Counter(entry["order_id"] for entry in cloud.ledger())
    for order in orders.values():
        ended = cloud.order(order.order_id).status
        declined = float(order.amount) > float(LIMIT)
        assert ended == ("declined" if declined else "paid"), f"{order.order_id} ended {ended}"
        due = int(order.amount > 0)
        assert charges[order.order_id] == due, (
            f"{charges[order.order_id]} ledger entries, not {due}"
        )
        mails = cloud.mails_to(order.customer_id)
        assert "Order placed" in mails
        assert not declined or "Payment declined" in mails
    outcomes = [e.id for e in cloud.published() if e.source == "shop.payments"]
    assert len(set(outcomes)) == len(orders), (
        f"{len(set(outcomes))} outcomes of {len(orders)} orders"
    )
    assert cloud.lost == []
    for function in blueprint.functions.values():
        if function.short_name in cloud.consumers:
            taken = annotated(function)
            due_to_it = {e.id for e in cloud.published() if (e.source, e.type) in taken}
            assert set(cloud.handled(function.short_name)) == due_to_it, function.short_name
            assert cloud.waiting(function.short_name) == 0


def search(
    test: Callable[[list[Step]], None],
    *,
    examples: int,
    with_seed: int,
    functions: Sequence[str] = FUNCTIONS,
) -> None:
    """Have hypothesis look for a schedule that fails, the same ones for the same seed."""
    looking = settings(
        max_examples=examples,
        derandomize=False,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,  # each would be shrunk on its own
        suppress_health_check=list(HealthCheck),
    )
    # Within it, each cloud's own has only to forget what was there.
    with mock_aws():
        seed(with_seed)(looking(given(schedule=schedules(functions))(test)))()


@pytest.mark.parametrize("part", range(PARTS))
def test_every_order_comes_to_one_end_and_is_charged_once(part: int, blueprint: Blueprint) -> None:
    def whatever_happens(schedule: list[Step]) -> None:
        play(blueprint, schedule)

    search(whatever_happens, examples=SCHEDULES // PARTS, with_seed=SEED * PARTS + part)


def test_a_charge_that_is_not_idempotent_is_found_and_the_schedule_that_shows_it_is_short(
    blueprint: Blueprint, tmp_path: Path
) -> None:
    careless = with_careless_payments(blueprint, tmp_path)
    failing: list[list[Step]] = []

    def whatever_happens(schedule: list[Step]) -> None:
        try:
            play(careless, schedule)
        except AssertionError:
            failing.append(schedule)
            raise

    with pytest.raises(AssertionError, match="2 ledger entries, not 1"):
        search(whatever_happens, examples=500, with_seed=0, functions=["payments"])
    shortest: dict[type, Any] = {type(step): step for step in failing[-1]}
    assert len(failing[-1]) == len(shortest) == 2, failing[-1]
    assert shortest[Place] == Place("0.01")
    assert shortest[Break].times == 1
    assert isinstance(shortest[Break].fault, CrashesAfterEffect | DynamoDBThrottled)


def with_careless_payments(blueprint: Blueprint, folder: Path) -> Blueprint:
    """The system with payments that charge under another key each time that they are asked."""
    payments = next(f for f in blueprint.functions.values() if f.short_name == "payments")
    for asset in blueprint.assets.glob("asset.*"):
        if asset != payments.asset:
            (folder / asset.name).symlink_to(asset)
    shutil.copytree(payments.asset, folder / payments.asset.name)
    provider = folder / payments.asset.name / "functions" / "payments" / "provider.py"
    text = provider.read_text()
    key = "idempotency_key=order_id,"
    assert text.count(key) == 1
    provider.write_text(text.replace(key, 'idempotency_key=__import__("uuid").uuid4().hex,'))
    return blueprint.with_assets(folder)
