"""The fulfilment of paid orders, in the deployed system: each path, and each failure.

Under any failure, an order is shipped, or is compensated and reported as unfulfillable, or raises
the alarm; and the stock is reduced by the shipped records only.
"""

import copy
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.fulfilment import OrderShipped, OrderUnfulfillable
from contracts.payments import PaymentTaken
from patchbay.events.event import Envelope
from patchbay.testkit.faults import (
    CrashesAfterEffect,
    Fault,
    Raises,
    Throttled,
    TimesOut,
)
from patchbay.testkit.states.execution import Execution
from patchbay.testkit.states.state_faults import AnswerLost, Fails, Hangs, StateFault
from patchbay.testkit.templates import Templates
from patchbay.topology.template import listed
from tests.shop import Shop

SAGA, SHIPPING = "fulfilment", "fulfilment-shipping"
FULL = 1_000  # what a warehouse of the stage dev holds
TASKS = ("ReserveStock", "ArrangeShipping", "PublishOrderShipped")
COMPENSATION = ("ReleaseStock", "PublishOrderUnfulfillable")
TOO_HEAVY = 41
TRANSIENT = (
    Fails("States.Timeout"),
    Fails("DynamoDb.DynamoDbException"),
    Fails("Lambda.TooManyRequestsException"),
    Fails("EventBridge.FailedEntry"),
    Fails("States.QueryEvaluationError"),
    AnswerLost(),
    Hangs(),
)


def pay(cloud: Shop, order_id: str = "order-1", *, items: int = 2, **more: Any) -> str:
    """Say that an order is paid; returns the event's id."""
    payment = {"order_id": order_id, "customer_id": "00001", "items": items, "amount": 11.77}
    payment |= {"payment_id": "payment-1"} | more
    return cloud.publish(PaymentTaken.model_validate(payment), journey=f"the journey of {order_id}")


def the_execution(cloud: Shop) -> Execution:
    (execution,) = cloud.executions(SAGA)
    return execution


def outcomes(cloud: Shop) -> list[tuple[str, str]]:
    """Return the outcomes that were published, with their orders; each event counts once."""
    kinds = (OrderShipped.detail_type(), OrderUnfulfillable.detail_type())
    events = {each.id: (each.type, each.data["order_id"]) for each in cloud.published()}
    return [each for each in events.values() if each[0] in kinds]


def on_hand(cloud: Shop) -> int:
    """Return the remaining stock of the one warehouse that was used."""
    stock = cloud.table("fulfilment-stock")
    return int(stock[0]["on_hand"]) if stock else FULL


def has_only(cloud: Shop, records: int, warehouse: str = "warehouse-8") -> None:
    cloud.resource_table("fulfilment-stock").put_item(
        Item={"warehouse": warehouse, "on_hand": records}
    )


def parcels(cloud: Shop) -> dict[str, str]:
    """The state of each parcel, by its order."""
    return {each["order_id"]: each["state"] for each in cloud.table("fulfilment-parcels")}


def shipped(cloud: Shop) -> bool:
    return (
        the_execution(cloud).status == "SUCCEEDED"
        and outcomes(cloud) == [("OrderShipped", "order-1")]
        and parcels(cloud) == {"order-1": "shipped"}
        and on_hand(cloud) == FULL - 2
    )


def compensated(cloud: Shop) -> bool:
    return (
        the_execution(cloud).status == "SUCCEEDED"
        and outcomes(cloud) == [("OrderUnfulfillable", "order-1")]
        and parcels(cloud) in ({}, {"order-1": "released"})
        and on_hand(cloud) == FULL
    )


def test_a_paid_order_is_shipped(cloud: Shop) -> None:
    order = cloud.place_order(items=3)
    cloud.settle()

    (event,) = cloud.published("OrderShipped")
    (parcel,) = cloud.table("fulfilment-parcels")
    assert event.data == {
        "order_id": order.order_id,
        "customer_id": order.customer_id,
        "items": 3,
        "warehouse": "warehouse-8",
        "tracking": parcel["tracking"],
    }
    assert the_execution(cloud).states == [
        "Prepare", "ReserveStock", "ArrangeShipping", "PublishOrderShipped", "Shipped",
    ]  # fmt: skip
    assert on_hand(cloud) == FULL - 3


@pytest.mark.parametrize(("items", "event"), [(2, OrderShipped), (TOO_HEAVY, OrderUnfulfillable)])
def test_an_event_of_the_state_machine_is_like_any_other_event(
    items: int, event: type[OrderShipped] | type[OrderUnfulfillable], cloud: Shop
) -> None:
    cause = pay(cloud, items=items)
    cloud.advance(seconds=1)
    cloud.settle()

    (published,) = cloud.published(event.detail_type())
    metadata = Envelope.model_validate(published.detail).metadata
    assert event.model_validate(published.data).order_id == "order-1"
    assert published.source == event.source()
    assert (str(metadata.causation_id), metadata.version) == (cause, event.version)
    assert metadata.correlation_id == "the journey of order-1"
    assert metadata.published_at.timestamp() == published.at
    assert metadata.id.version == 5
    assert metadata.id.variant == "specified in RFC 4122"


def test_both_events_of_an_order_would_have_ids_of_their_own(cloud: Shop) -> None:
    pay(cloud)
    cloud.settle()
    ids = the_execution(cloud).variables["ids"]
    assert len(set(ids.values())) == 2


def test_a_record_that_cost_nothing_is_shipped_as_well(cloud: Shop) -> None:
    cloud.place_order(amount="0")
    cloud.settle()
    assert the_execution(cloud).status == "SUCCEEDED"


def test_an_unfulfillable_order_for_nothing_has_no_payment(cloud: Shop) -> None:
    cloud.place_order(amount="0", items=TOO_HEAVY)
    cloud.settle()
    (event,) = cloud.published("OrderUnfulfillable")
    assert OrderUnfulfillable.model_validate(event.data).payment_id is None


def test_customers_are_spread_over_sixteen_warehouses(cloud: Shop) -> None:
    for number in range(100):
        pay(cloud, f"order-{number}", customer_id=f"{number:05}")
    cloud.settle()
    names = {each["warehouse"] for each in cloud.table("fulfilment-stock")}
    assert names == {f"warehouse-{digit:x}" for digit in range(16)}


def test_an_order_that_is_out_of_stock_is_unfulfillable_and_reserves_nothing(cloud: Shop) -> None:
    has_only(cloud, 1)
    pay(cloud)
    cloud.settle()

    (event,) = cloud.published("OrderUnfulfillable")
    assert event.data == {
        "order_id": "order-1", "customer_id": "00001", "amount": 11.77, "payment_id": "payment-1",
        "reason": "out of stock",
    }  # fmt: skip
    assert (on_hand(cloud), parcels(cloud)) == (1, {})
    assert "ReleaseStock" not in the_execution(cloud).states


def test_the_last_records_can_be_ordered(cloud: Shop) -> None:
    has_only(cloud, 2)
    pay(cloud)
    cloud.settle()
    assert (on_hand(cloud), parcels(cloud)) == (0, {"order-1": "shipped"})


def test_an_order_larger_than_a_warehouse_is_out_of_stock(cloud: Shop) -> None:
    pay(cloud, items=FULL + 1)
    cloud.settle()
    (event,) = cloud.published("OrderUnfulfillable")
    assert event.data["reason"] == "out of stock"
    assert cloud.table("fulfilment-stock") == []


def test_the_stock_of_a_parcel_that_is_too_heavy_is_released_at_once(cloud: Shop) -> None:
    pay(cloud, items=TOO_HEAVY)
    cloud.settle()

    (event,) = cloud.published("OrderUnfulfillable")
    assert event.data["reason"] == "41 records are too heavy: a parcel takes 40"
    assert (on_hand(cloud), parcels(cloud)) == (FULL, {"order-1": "released"})
    assert the_execution(cloud).errors("ArrangeShipping") == ["TooHeavy"]


def test_the_heaviest_parcel_is_shipped(cloud: Shop) -> None:
    pay(cloud, items=TOO_HEAVY - 1)
    cloud.settle()
    assert parcels(cloud) == {"order-1": "shipped"}


@pytest.mark.parametrize("state", TASKS)
@pytest.mark.parametrize("fault", TRANSIENT, ids=str)
def test_a_step_that_fails_temporarily_is_retried(
    fault: StateFault, state: str, cloud: Shop
) -> None:
    cloud.break_state(SAGA, state, with_=fault, times=3)
    pay(cloud)
    cloud.settle()
    assert shipped(cloud)
    assert len(the_execution(cloud).errors(state)) >= 3


@pytest.mark.parametrize("state", COMPENSATION)
@pytest.mark.parametrize("fault", TRANSIENT, ids=str)
def test_a_compensation_that_fails_temporarily_is_retried(
    fault: StateFault, state: str, cloud: Shop
) -> None:
    cloud.break_state(SAGA, state, with_=fault, times=3)
    pay(cloud, items=TOO_HEAVY)
    cloud.settle()
    assert compensated(cloud)


@pytest.mark.parametrize("state", ["ReserveStock", "ArrangeShipping"])
@pytest.mark.parametrize("fault", TRANSIENT, ids=str)
def test_a_permanent_failure_before_the_shipment_is_compensated(
    fault: StateFault, state: str, cloud: Shop
) -> None:
    cloud.break_state(SAGA, state, with_=fault)
    pay(cloud)
    cloud.settle()
    assert compensated(cloud)


@pytest.mark.parametrize("fault", TRANSIENT, ids=str)
def test_a_shipment_that_can_not_be_published_fails_the_execution_and_is_published_after_a_redrive(
    fault: StateFault, cloud: Shop
) -> None:
    cloud.break_state(SAGA, "PublishOrderShipped", with_=fault)
    pay(cloud)
    cloud.settle()
    assert the_execution(cloud).status == "FAILED"
    assert ("OrderUnfulfillable", "order-1") not in outcomes(cloud)

    cloud.mend_state(SAGA, "PublishOrderShipped")
    assert cloud.redrive_executions(SAGA) == 1
    cloud.settle()
    assert shipped(cloud)


@pytest.mark.parametrize("state", COMPENSATION)
@pytest.mark.parametrize("fault", TRANSIENT, ids=str)
def test_a_compensation_that_fails_permanently_fails_the_execution_and_succeeds_after_a_redrive(
    fault: StateFault, state: str, cloud: Shop
) -> None:
    cloud.break_state(SAGA, state, with_=fault)
    pay(cloud, items=TOO_HEAVY)
    cloud.settle()
    # An answer that is lost hides that the work is done, which the next attempt finds out.
    if (state, fault) != ("ReleaseStock", AnswerLost()):
        assert the_execution(cloud).status == "FAILED"

    cloud.mend_state(SAGA, state)
    cloud.redrive_executions(SAGA)
    cloud.settle()
    assert compensated(cloud)


CANCELED = "Transaction cancelled, please refer cancellation reasons for specific reasons"


@pytest.mark.parametrize(
    "reasons",
    ["[None, TransactionConflict]", "[TransactionConflict, None]", "[None, ThrottlingError]"],
)
def test_orders_that_want_the_same_warehouse_at_once_wait_for_each_other(
    reasons: str, cloud: Shop
) -> None:
    conflict = Fails("DynamoDb.TransactionCanceledException", f"{CANCELED} {reasons}")
    cloud.break_state(SAGA, "ReserveStock", with_=conflict, times=5)
    cloud.break_state(SAGA, "ReleaseStock", with_=conflict, times=5)
    pay(cloud)
    pay(cloud, "order-2", items=TOO_HEAVY)
    cloud.settle()
    assert sorted(outcomes(cloud)) == [
        ("OrderShipped", "order-1"),
        ("OrderUnfulfillable", "order-2"),
    ]
    assert on_hand(cloud) == FULL - 2


def test_a_transaction_that_is_canceled_for_an_unknown_reason_is_compensated(
    cloud: Shop,
) -> None:
    odd = Fails("DynamoDb.TransactionCanceledException", f"{CANCELED} [ValidationError, None]")
    cloud.break_state(SAGA, "ReserveStock", with_=odd)
    pay(cloud)
    cloud.settle()
    assert compensated(cloud)


@pytest.mark.parametrize(
    "fault", [Raises(OSError), Throttled(), TimesOut(), CrashesAfterEffect()], ids=str
)
def test_a_carrier_that_fails_temporarily_ships_after_a_retry(fault: Fault, cloud: Shop) -> None:
    cloud.break_(SHIPPING, with_=fault, times=3)
    pay(cloud)
    cloud.settle()
    assert shipped(cloud)


@pytest.mark.parametrize(
    "fault", [Raises(OSError), Throttled(), TimesOut(), CrashesAfterEffect()], ids=str
)
def test_a_parcel_that_is_never_confirmed_is_compensated_even_if_the_carrier_took_it(
    fault: Fault, cloud: Shop
) -> None:
    cloud.break_(SHIPPING, with_=fault)
    pay(cloud)
    cloud.settle()
    assert compensated(cloud)
    (event,) = cloud.published("OrderUnfulfillable")
    assert event.data["reason"] == "the shipment could not be arranged"


def test_a_shipment_after_the_stock_was_released_is_refused(cloud: Shop) -> None:
    cloud.break_state(SAGA, "ArrangeShipping", with_="Lambda.ServiceException", times=9)
    pay(cloud)
    cloud.settle()
    assert compensated(cloud)

    pay(cloud)  # the same order, by another event
    cloud.settle()
    assert parcels(cloud) == {"order-1": "released"}
    assert on_hand(cloud) == FULL
    assert {kind for kind, _ in outcomes(cloud)} == {"OrderUnfulfillable"}


def test_an_order_that_is_paid_by_two_events_is_shipped_once(cloud: Shop) -> None:
    pay(cloud)
    cloud.settle()
    pay(cloud)
    cloud.settle()
    assert on_hand(cloud) == FULL - 2
    first, second = cloud.published("OrderShipped")
    assert first.data == second.data


def test_a_duplicate_starts_no_second_execution(cloud: Shop) -> None:
    cause = pay(cloud)
    cloud.settle()
    (payment,) = cloud.published("PaymentTaken")
    cloud.put(payment.source, payment.type, payment.detail)
    cloud.settle()
    assert len(cloud.handled(SAGA)) == 2  # its starter keeps no memory: the name alone stops it
    assert the_execution(cloud).name == cause
    assert shipped(cloud)
    assert cloud.dead_letters(SAGA).reasons == []


def test_a_crash_after_the_start_starts_no_second_execution(cloud: Shop) -> None:
    cloud.break_(SAGA, with_=CrashesAfterEffect(), times=2)
    pay(cloud)
    cloud.settle()
    assert shipped(cloud)


def test_a_payment_without_its_later_fields_is_a_dead_letter_with_the_reason(cloud: Shop) -> None:
    old = PaymentTaken.model_validate({"order_id": "order-1", "amount": 11.77})
    cloud.publish(old)
    cloud.settle()
    assert cloud.dead_letters(SAGA).reasons == [
        "the payment of order order-1 does not say what to send to whom: it was published before "
        "PaymentTaken had customer_id and items"
    ]
    assert cloud.executions(SAGA) == []


def without_right(templates: Templates, role: str, action: str) -> Templates:
    """The system without an action that a role of the fulfilment service allows."""
    body: Any = copy.deepcopy(templates.bodies["records-dev-fulfilment"])
    for name, resource in body["Resources"].items():
        if resource["Type"] == "AWS::IAM::Policy" and name.startswith(role):
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                left = [each for each in listed(statement["Action"]) if each != action]
                statement["Action"] = left or ["nothing:AtAll"]
    return templates.with_bodies({**templates.bodies, "records-dev-fulfilment": body})


def test_a_start_that_is_not_allowed_is_a_dead_letter(templates: Templates) -> None:
    with Shop(without_right(templates, "FunctionRole", "states:StartExecution")) as cloud:
        cause = pay(cloud)
        cloud.settle()
        assert cloud.dead_letters(SAGA).causes == [cause]
        assert "states:StartExecution" in str(cloud.dead_letters(SAGA).reasons)


@pytest.mark.parametrize("action", ["dynamodb:PutItem", "lambda:InvokeFunction"])
def test_a_state_machine_may_only_do_what_its_role_allows(
    action: str, templates: Templates
) -> None:
    with Shop(without_right(templates, "WorkflowRole", action)) as cloud:
        pay(cloud)
        cloud.settle()
        assert outcomes(cloud) == [("OrderUnfulfillable", "order-1")]


def test_an_execution_that_may_not_publish_fails(templates: Templates) -> None:
    with Shop(without_right(templates, "WorkflowRole", "events:PutEvents")) as cloud:
        pay(cloud)
        cloud.settle()
        assert the_execution(cloud).error == "EventBridge.EventBridgeException"
        assert outcomes(cloud) == []


ORDERS = st.lists(
    st.tuples(st.sampled_from(["00001", "00002", "00003"]), st.integers(1, 45)),
    min_size=1, max_size=12,
)  # fmt: skip
FAULTS = st.lists(
    st.tuples(
        st.sampled_from([*TASKS, *COMPENSATION]),
        st.sampled_from([AnswerLost(), Hangs(), Fails("States.TaskFailed")]),
        st.integers(1, 30),
    ),
    max_size=3,
)


@settings(max_examples=60)
@given(orders=ORDERS, stock=st.integers(0, 60), faults=FAULTS)
def test_no_stock_is_negative_or_lost_under_random_orders_and_failures(
    templates: Templates,
    orders: Sequence[tuple[str, int]],
    stock: int,
    faults: Sequence[tuple[str, StateFault, int]],
) -> None:
    with Shop(templates) as cloud:
        for digit in range(16):
            has_only(cloud, stock, f"warehouse-{digit:x}")
        for state, fault, times in faults:
            cloud.break_state(SAGA, state, with_=fault, times=times)
        for number, (customer, items) in enumerate(orders):
            pay(cloud, f"order-{number}", customer_id=customer, items=items)
        cloud.settle()
        for state in {state for state, _, _ in faults}:
            cloud.mend_state(SAGA, state)
        cloud.redrive_executions(SAGA)
        cloud.settle()

        left = {each["warehouse"]: each["on_hand"] for each in cloud.table("fulfilment-stock")}
        assert all(records >= 0 for records in left.values())
        gone = {name: stock - records for name, records in left.items()}
        for parcel in cloud.table("fulfilment-parcels"):
            if parcel["state"] == "shipped":
                gone[parcel["warehouse"]] -= parcel["items"]
        assert set(gone.values()) == {0}
        # Each order has one published outcome.
        assert sorted(order for _, order in outcomes(cloud)) == sorted(
            f"order-{number}" for number in range(len(orders))
        )
