"""Exactly one effect, under random orders, faults, duplicates, delays and crashes.

A failure prints the shortest schedule that shows it, in the form that `play(templates, invariants,
schedule)` takes. Every run tries the same schedules; for others, and more of them:
`SCHEDULES=20000 SEED=7 pytest tests/test_exactly_one_effect.py`.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from patchbay.testkit.exactly_once.schedule import Break, Step
from patchbay.testkit.exactly_once.search import breakable, search
from patchbay.testkit.templates import Templates
from tests.invariants import Place, ShopsInvariants
from tests.shop import Shop, charging_carelessly

SCHEDULES = int(os.environ.get("SCHEDULES", "2000"))
SEED = int(os.environ.get("SEED", "0"))
PARTS = 8  # that run side by side
OUTCOMES = (("PaymentTaken", "PaymentDeclined"), ("OrderShipped", "OrderUnfulfillable"))


class OneOutcome(ShopsInvariants):
    """The shop's invariants, and of each pair of outcomes only one is published, once."""

    def broken(self, cloud: Shop) -> Iterator[str]:
        yield from super().broken(cloud)
        events = {each.id: each for each in cloud.published()}.values()
        for outcomes in OUTCOMES:
            published = Counter(each.data["order_id"] for each in events if each.type in outcomes)
            for order_id, times in published.items():
                if times > 1:
                    yield f"of {outcomes}, {times} were published for order {order_id}"


@pytest.mark.parametrize("part", range(PARTS))
def test_every_order_has_one_outcome_and_is_charged_once(part: int, templates: Templates) -> None:
    search(
        templates, OneOutcome(), examples=SCHEDULES // PARTS, with_seed=SEED * PARTS + part
    )  # fmt: skip


def test_every_function_that_no_request_invokes_may_fail(templates: Templates) -> None:
    found = set(breakable(templates))
    assert found >= {
        "payments", "notifications", "orders-status", "orders-outbox", "payments-sandbox",
        "fulfilment", "fulfilment-shipping", "payments-refund",
    }  # fmt: skip
    assert not found & {"orders-api", "storefront-api"}


def test_a_charge_that_is_not_idempotent_is_found_and_the_schedule_that_shows_it_is_short(
    templates: Templates, tmp_path: Path
) -> None:
    careless = charging_carelessly(templates, tmp_path)
    failing: list[list[Step]] = []
    with pytest.raises(AssertionError, match="2 ledger entries, not 1"):
        search(
            careless,
            OneOutcome(),
            examples=500,
            functions=["payments"],
            on_failure=failing.append,
        )
    shortest: dict[type, Any] = {type(step): step for step in failing[-1]}
    assert len(failing[-1]) == len(shortest) == 2, failing[-1]
    assert shortest[Place] == Place("0.01")
    assert shortest[Break].times == 1
    assert shortest[Break].fault.startswith(("crashes", "can't publish", "is throttled by"))
