import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.audit import Evidence, Parcel, judge
from demo.event_recorder import Published
from patchbay.topology.consumers import Consumer
from patchbay.topology.rules import Rule

EVENTS = {"OrderPlaced": "orders", "PaymentTaken": "payments", "OrderShipped": "fulfilment"}
AMOUNT = Decimal("11.77")
TAKEN = {"notifications": "OrderPlaced", "payments": "OrderPlaced", "loyalty": "PaymentTaken"}


def consumer(name: str) -> Consumer:
    pattern = json.dumps({"detail-type": [TAKEN[name]]})
    return Consumer(
        name=name,
        queue_url="",
        dead_letters_url="",
        log_group="",
        idempotency_table="a-table",
        rules=(Rule("", pattern),),
    )


def events(order: str) -> list[Published]:
    return [
        Published(
            json.dumps({"source": f"shop.{source}", "detail-type": name}),
            name,
            f"{order}/{name}",
            order,
        )
        for name, source in EVENTS.items()
    ]


def evidence_without_errors(orders: list[str]) -> dict[str, Any]:
    """Return evidence in which every order was paid, mailed, shipped and handled once."""
    published = [event for order in orders for event in events(order)]
    published.append(day_closed(len(orders) * AMOUNT))
    return {
        "accepted": dict.fromkeys(orders, AMOUNT),
        "statuses": dict.fromkeys(orders, "shipped"),
        "visited": {"record-1": (2, 1)},
        "counted": {"record-1": (2, 1)},
        "published": published,
        "consumers": [consumer(name) for name in TAKEN],
        "handled": {
            (name, str(event.event_id))
            for event in published
            for name, taken in TAKEN.items()
            if taken == event.detail_type
        },
        "journalled": {str(event.event_id) for event in published},
        "booked": {(order, "payment") for order in orders},
        "dead": set(),
        "ledger": [entry("charge", order) for order in orders],
        "mails": {("Order placed", order): 1 for order in orders},
        "parcels": {order: Parcel(2, "shipped") for order in orders},
        "taken_from_stock": 2 * len(orders),
    }


def day_closed(taken: Decimal) -> Published:
    data = {"taken": float(taken), "refunded": 0.0}
    text = json.dumps(
        {"source": "shop.accounts", "detail-type": "DayClosed", "detail": {"data": data}}
    )
    return Published(text, "DayClosed", "day", None)


def entry(kind: str, order: str, amount: str = "11.77") -> dict[str, str]:
    return {"kind": kind, "order_id": order, "status": "succeeded", "amount": amount}


def test_complete_orders_have_no_errors() -> None:
    assert not judge(Evidence(**evidence_without_errors(["a", "b"])))


@pytest.mark.parametrize(
    ("part", "value", "reason"),
    [
        ("statuses", {"b": "shipped"}, "not in the table"),
        ("published", events("b"), "OrderPlaced was never published"),
        ("ledger", [entry("charge", "b")], "ledger"),
        ("ledger", [entry("charge", "a", "11.76"), entry("charge", "b")], "$11.77 is due"),
        (
            "ledger",
            [entry(*of) for of in (("charge", "a"), ("refund", "a"), ("charge", "b"))],
            "$11.77 refunded",
        ),
        ("parcels", {"a": Parcel(2, "held"), "b": Parcel(2, "shipped")}, "reserved"),
        ("parcels", {"a": Parcel(2, "released"), "b": Parcel(4, "shipped")}, "is released"),
        ("parcels", {"b": Parcel(4, "shipped")}, "is missing"),
        ("mails", {("Order placed", "b"): 1}, "never got the mail"),
        ("booked", {("a", "refund"), ("b", "payment")}, "no line for its payment"),
        ("journalled", {str(event.event_id) for event in events("b")}, "the journal has no copy"),
        ("statuses", {"a": "paid", "b": "shipped"}, "its status is paid"),
    ],
)
def test_an_incomplete_order_is_lost_with_its_reason(part: str, value: object, reason: str) -> None:
    verdict = judge(Evidence(**evidence_without_errors(["a", "b"]) | {part: value}))

    assert set(verdict.lost) == {"a"}
    assert reason in verdict.lost["a"]


@pytest.mark.parametrize("booked", ["11.76", "0"])
def test_books_with_less_than_the_provider_kept_do_not_add_up(booked: str) -> None:
    found = evidence_without_errors(["a"])
    found["published"][-1] = day_closed(Decimal(booked))
    verdict = judge(Evidence(**found))
    assert verdict.missing_from_books == AMOUNT - Decimal(booked)
    assert verdict
    assert "the books do not add up" in str(verdict)


@given(st.data())
def test_an_event_that_one_consumer_did_not_handle_is_lost_unless_it_is_a_dead_letter(
    data: st.DataObject,
) -> None:
    found = evidence_without_errors(["a", "b", "c"])
    name, event_id = data.draw(st.sampled_from(sorted(found["handled"])))
    found["handled"] -= {(name, event_id)}
    order = event_id.partition("/")[0]

    lost = judge(Evidence(**found)).lost
    assert set(lost) == {order}
    assert name in lost[order]

    assert not judge(Evidence(**found | {"dead": {(name, event_id)}}))


def test_an_event_in_the_journals_dead_letters_is_not_lost() -> None:
    found = evidence_without_errors(["a"])
    found["journalled"].remove("a/OrderPlaced")
    assert "the journal has no copy" in judge(Evidence(**found)).lost["a"]
    assert not judge(Evidence(**found | {"dead": {("journal", "a/OrderPlaced")}}))


def test_two_charges_for_an_order_are_found() -> None:
    found = evidence_without_errors(["a", "b"])
    found["ledger"].append(entry("charge", "b"))

    assert judge(Evidence(**found)).charged_twice == ["b"]


def test_a_free_order_needs_no_charge() -> None:
    found = evidence_without_errors(["a"]) | {"accepted": {"a": Decimal(0)}, "ledger": []}
    found["published"][-1] = day_closed(Decimal(0))

    assert "no line for its gift" in judge(Evidence(**found)).lost["a"]
    found["booked"].add(("a", "gift"))
    assert not judge(Evidence(**found))


def test_a_naturally_idempotent_consumer_is_audited_by_its_effects_alone() -> None:
    found = evidence_without_errors(["a"])
    found["consumers"] = [replace(each, idempotency_table=None) for each in found["consumers"]]
    found["handled"] = set()
    assert not judge(Evidence(**found))


def test_a_refunded_order_needs_a_refund_and_no_parcel() -> None:
    found = evidence_without_errors(["a"])
    refunded = Published("{}", "PaymentRefunded", "a/PaymentRefunded", "a")
    found["published"] = [*events("a")[:2], refunded]
    found["journalled"].add("a/PaymentRefunded")
    found["booked"].add(("a", "refund"))
    found |= {
        "statuses": {"a": "refunded"},
        "ledger": [entry("charge", "a"), entry("refund", "a")],
        "parcels": {"a": Parcel(2, "released")},
        "taken_from_stock": 0,
    }
    found["mails"]["Payment refunded", "a"] = 1

    assert not judge(Evidence(**found))
    del found["ledger"][1]
    assert "$11.77 charged and $0 refunded" in judge(Evidence(**found)).lost["a"]


def test_records_that_are_in_no_parcel_are_missing_from_the_stock() -> None:
    verdict = judge(Evidence(**evidence_without_errors(["a", "b"]) | {"taken_from_stock": 5}))

    assert verdict.missing_from_stock == 1
    assert "1 records are missing" in str(verdict)


@pytest.mark.parametrize("counted", [{}, {"record-1": (4, 2)}, {"record-1": (2, 1), "r": (1, 0)}])
def test_a_wrong_count_of_the_bestsellers_is_found(counted: dict[str, tuple[int, int]]) -> None:
    verdict = judge(Evidence(**evidence_without_errors(["a"]) | {"counted": counted}))

    assert len(verdict.miscounted) == 1
    assert "miscounted: r" in str(verdict)
