"""The fulfilment of orders on the local cloud, deployed with the real CDK CLI."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from contracts.payments import PaymentTaken
from demo.settings import STAGE
from demo.shop import Shop
from demo.surroundings import LocalShop
from patchbay.events.event import Envelope, Metadata
from patchbay.processes.waiting import wait_until
from patchbay.project.naming import bus_name, named

pytestmark = pytest.mark.embedded

SECONDS = 60
FULL = 80  # what a warehouse of the stage local holds


@pytest.fixture(scope="module")
def machine(running: LocalShop) -> str:
    machines = running.cloud.client("stepfunctions").list_state_machines()["stateMachines"]
    (found,) = (each for each in machines if each["name"] == named(STAGE, "fulfilment"))
    return str(found["stateMachineArn"])


Pay = Callable[..., Metadata]


@pytest.fixture
def pay(running: LocalShop) -> Pay:
    """Says that an order is paid; returns the event's envelope."""

    def pay(order_id: str, items: int, payment_id: str | None, id: Any = None) -> Metadata:
        payment = PaymentTaken.model_validate(
            {
                "order_id": order_id, "customer_id": order_id, "items": items, "amount": 11.77,
                "payment_id": payment_id,
            }
        )  # fmt: skip
        metadata = Metadata.now(id=id or uuid4(), version=1, correlation_id="a journey")
        running.cloud.client("events").put_events(
            Entries=[
                {
                    "EventBusName": bus_name(STAGE),
                    "Source": payment.source(),
                    "DetailType": payment.detail_type(),
                    "Detail": Envelope(metadata=metadata, data=payment).model_dump_json(),
                }
            ]
        )
        return metadata

    return pay


def outcome(running: LocalShop, machine: str, name: str) -> Any:
    """Return the result of an execution."""
    states = running.cloud.client("stepfunctions")
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"

    def has_ended() -> bool:
        found = states.list_executions(stateMachineArn=machine)["executions"]
        return any(each["executionArn"] == arn and each["status"] != "RUNNING" for each in found)

    wait_until(has_ended, f"the execution {name} to end", SECONDS)
    execution = states.describe_execution(executionArn=arn)
    assert execution["status"] == "SUCCEEDED", execution
    return json.loads(execution["output"])


def item(running: LocalShop, table: str, key: dict[str, str]) -> dict[str, Any]:
    client = running.cloud.client("dynamodb")
    typed: Any = {name: {"S": value} for name, value in key.items()}
    found = client.get_item(TableName=named(STAGE, table), Key=typed, ConsistentRead=True)
    return {name: next(iter(value.values())) for name, value in found.get("Item", {}).items()}


@pytest.mark.parametrize("payment_id", ["payment-1", None])
def test_a_paid_order_is_shipped(
    payment_id: str | None, running: LocalShop, machine: str, pay: Pay
) -> None:
    order = str(uuid4())
    paid = pay(order, 3, payment_id)

    assert outcome(running, machine, str(paid.id))["outcome"] == "shipped"
    parcel = item(running, "fulfilment-parcels", {"order_id": order})
    assert (parcel["state"], parcel["items"]) == ("shipped", "3")


@pytest.mark.parametrize("payment_id", ["payment-1", None])
def test_the_stock_of_a_parcel_that_is_too_heavy_is_released(
    payment_id: str | None, running: LocalShop, machine: str, pay: Pay
) -> None:
    order = str(uuid4())
    paid = pay(order, 41, payment_id)

    assert outcome(running, machine, str(paid.id)) == {
        "outcome": "unfulfillable",
        "reason": "41 records are too heavy: a parcel takes 40",
    }
    assert item(running, "fulfilment-parcels", {"order_id": order})["state"] == "released"


def test_an_order_that_is_out_of_stock_is_unfulfillable(
    running: LocalShop, machine: str, pay: Pay
) -> None:
    paid = pay(str(uuid4()), FULL + 1, "payment-1")
    assert outcome(running, machine, str(paid.id))["reason"] == "out of stock"


def set_aside(shop: Shop) -> int:
    return sum(each.items for each in shop.parcels().values() if each.state != "released")


def test_an_order_that_is_paid_by_two_events_is_shipped_once(
    running: LocalShop, shop: Shop, machine: str, pay: Pay
) -> None:
    order = str(uuid4())
    outcomes = [outcome(running, machine, str(pay(order, 2, "payment-1").id)) for _ in range(2)]
    assert outcomes[0] == outcomes[1]
    wait_until(lambda: shop.taken_from_stock() == set_aside(shop), "the stock to add up", SECONDS)


def test_a_duplicate_starts_no_second_execution(running: LocalShop, machine: str, pay: Pay) -> None:
    order = str(uuid4())
    paid = pay(order, 2, "payment-1")
    outcome(running, machine, str(paid.id))
    pay(order, 2, "payment-1", id=paid.id)
    # Whatever comes after it has been handled after it.
    outcome(running, machine, str(pay(str(uuid4()), 1, None).id))
    states = running.cloud.client("stepfunctions")
    names = [each["name"] for each in states.list_executions(stateMachineArn=machine)["executions"]]
    assert names.count(str(paid.id)) == 1
