"""The accounts, in the whole deployed system."""

from decimal import Decimal

from contracts.payments import PaymentTaken
from patchbay.testkit.faults import CrashesAfterEffect
from tests.shop import Shop


def balances(cloud: Shop) -> dict[str, object]:
    return {each["account"]: each["balance"] for each in cloud.table("accounts-balances")}


def test_each_payment_is_a_line_with_the_customers_balance_after_it(cloud: Shop) -> None:
    for amount in ("11.77", "29.33"):
        cloud.place_order(customer_id="A", amount=amount)
        cloud.settle()
    cloud.place_order(customer_id="B", amount="5.00")
    cloud.settle()
    lines = sorted(cloud.table("accounts-lines"), key=lambda line: line["number"])
    assert [line["balance"] for line in lines if line["customer_id"] == "A"] == [
        Decimal("11.77"),
        Decimal("41.10"),
    ]
    assert balances(cloud) == {"A": Decimal("41.10"), "B": 5}


def test_a_refund_is_a_line_that_takes_from_the_balance(cloud: Shop) -> None:
    order = cloud.place_order(customer_id="A", amount="11.77", items=41)  # too heavy to be sent
    cloud.settle()
    assert cloud.order(order.order_id).status == "refunded"
    lines = sorted(cloud.table("accounts-lines"), key=lambda line: line["number"])
    assert [(line["kind"], line["balance"]) for line in lines] == [
        ("payment", Decimal("11.77")),
        ("refund", 0),
    ]


def test_a_payment_is_booked_once_whatever_fails(cloud: Shop) -> None:
    cloud.break_("accounts-statement", with_=CrashesAfterEffect(), times=3)
    cloud.place_order(customer_id="A", amount="11.77")
    cloud.settle()
    assert balances(cloud) == {"A": Decimal("11.77")}


def test_a_payment_event_without_a_customer_is_booked_too(cloud: Shop) -> None:
    cloud.publish(PaymentTaken(order_id="old-1", amount=Decimal("9.99")))
    cloud.settle()
    assert balances(cloud) == {"unknown": Decimal("9.99")}


def test_only_orders_that_cost_nothing_are_booked_as_gifts(
    cloud: Shop,
) -> None:
    gift = cloud.place_order(amount="0")
    cloud.place_order(amount="0.01")
    cloud.settle()
    assert cloud.handled("accounts-gifts") == [gift.event_id]
    noted = [line for line in cloud.table("accounts-lines") if line["kind"] == "gift"]
    assert [line["order_id"] for line in noted] == [gift.order_id]
