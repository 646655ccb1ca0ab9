from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.audit import Evidence, judge
from local.consumers import Consumer, Subscription
from local.tap import Published

PLACED = Subscription("shop.orders", "OrderPlaced")
TAKEN = Subscription("shop.payments", "PaymentTaken")
SUBSCRIPTIONS = {"notifications": PLACED, "payments": PLACED, "orders-status": TAKEN}


def consumer(name: str) -> Consumer:
    return Consumer(
        name=name,
        queue_url="",
        dead_letters_url="",
        log_group="",
        idempotency_table="",
        subscriptions=frozenset({SUBSCRIPTIONS[name]}),
    )


def events(order: str) -> list[Published]:
    return [
        Published(route.source, route.detail_type, f"{order}/{route.detail_type}", order)
        for route in (PLACED, TAKEN)
    ]


def all_is_well(orders: list[str]) -> dict[str, Any]:
    """What is found where every order was paid, mailed and handled once."""
    published = [event for order in orders for event in events(order)]
    return {
        "accepted": {order: Decimal("11.77") for order in orders},
        "statuses": dict.fromkeys(orders, "paid"),
        "published": published,
        "consumers": [consumer(name) for name in SUBSCRIPTIONS],
        "handled": {
            (name, str(event.event_id))
            for event in published
            for name, route in SUBSCRIPTIONS.items()
            if route.detail_type == event.detail_type
        },
        "dead": set(),
        "ledger": [
            {"kind": "charge", "order_id": order, "status": "succeeded"} for order in orders
        ],
        "mails": {("Order placed", order): 1 for order in orders},
    }


def test_where_all_is_well_nothing_is_found() -> None:
    assert not judge(Evidence(**all_is_well(["a", "b"])))


@pytest.mark.parametrize(
    ("part", "left", "why"),
    [
        ("statuses", {"b": "paid"}, "not in the table"),
        ("published", events("b"), "OrderPlaced was never published"),
        ("ledger", [{"kind": "charge", "order_id": "b", "status": "succeeded"}], "ledger"),
        ("mails", {("Order placed", "b"): 1}, "never got the mail"),
        ("statuses", {"a": "placed", "b": "paid"}, "its status is placed"),
    ],
)
def test_what_one_order_lacks_is_said_of_that_order(part: str, left: object, why: str) -> None:
    verdict = judge(Evidence(**all_is_well(["a", "b"]) | {part: left}))

    assert set(verdict.lost) == {"a"}
    assert why in verdict.lost["a"]


@given(st.data())
def test_an_event_that_one_consumer_did_not_handle_is_lost_unless_it_is_a_dead_letter(
    data: st.DataObject,
) -> None:
    found = all_is_well(["a", "b", "c"])
    name, event_id = data.draw(st.sampled_from(sorted(found["handled"])))
    found["handled"] -= {(name, event_id)}
    order = event_id.partition("/")[0]

    lost = judge(Evidence(**found)).lost
    assert set(lost) == {order}
    assert name in lost[order]

    assert not judge(Evidence(**found | {"dead": {(name, event_id)}}))


def test_two_charges_for_an_order_are_found_whatever_their_keys() -> None:
    found = all_is_well(["a", "b"])
    found["ledger"].append({"kind": "charge", "order_id": "b", "status": "succeeded"})

    assert judge(Evidence(**found)).charged_twice == ["b"]


def test_an_order_that_costs_nothing_needs_no_charge() -> None:
    found = all_is_well(["a"]) | {"accepted": {"a": Decimal(0)}, "ledger": []}

    assert not judge(Evidence(**found))
