"""The whole system on the local cloud, deployed with the real CDK CLI."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from demo.page_views import PURCHASE_WEIGHT, visit
from demo.purchases import Purchase, first_purchases
from demo.settings import STAGE
from demo.shop import Shop
from demo.surroundings import LocalShop
from patchbay.local.schedules import run_now
from patchbay.operations.consumers import deployed_consumers
from patchbay.packaging.layer import Target, build
from patchbay.processes.waiting import wait_until
from patchbay.project.naming import bus_name, named
from patchbay.project.root import ROOT
from patchbay.topology.consumers import Consumer

pytestmark = pytest.mark.embedded

SECONDS = 60  # what a cold start, a retry and a slow machine take together


@pytest.fixture
def consumers(running: LocalShop) -> dict[str, Consumer]:
    return {each.name: each for each in deployed_consumers(running.cloud, bus_name(STAGE))}


def logged(running: LocalShop, consumer: Consumer, text: str) -> bool:
    logs = running.cloud.client("logs")
    events = logs.filter_log_events(logGroupName=consumer.log_group)["events"]
    return any(text in event["message"] for event in events)


def wait_for_status(shop: Shop, order: str, status: str) -> None:
    wait_until(
        lambda: shop.statuses().get(order) == status, f"order {order} to be {status}", SECONDS
    )


def test_an_order_is_shipped_and_its_customer_gets_one_mail(
    shop: Shop, purchases: Iterator[Purchase]
) -> None:
    order = shop.place(next(purchases))

    wait_for_status(shop, order, "shipped")
    wait_until(lambda: shop.mails()["Order placed", order] == 1, "its mail", SECONDS)
    assert [entry["status"] for entry in shop.ledger() if entry["order_id"] == order] == [
        "succeeded"
    ]


def test_the_bus_keeps_every_event_in_its_archive(running: LocalShop) -> None:
    archive = running.cloud.client("events").describe_archive(ArchiveName=bus_name(STAGE))

    assert archive["State"] == "ENABLED"
    assert archive["EventCount"] > 0


def test_an_order_that_is_placed_twice_is_one_order(
    shop: Shop, purchases: Iterator[Purchase]
) -> None:
    purchase = next(purchases)

    assert shop.place(purchase) == shop.place(purchase)


def test_an_order_above_the_limit_is_declined_and_its_customer_gets_a_mail(
    shop: Shop, purchases: Iterator[Purchase]
) -> None:
    purchase = next(purchases)
    shop.decline_above(purchase.amount / 2)

    order = shop.place(purchase)

    wait_for_status(shop, order, "declined")
    wait_until(lambda: shop.mails()["Payment declined", order] == 1, "its mail", SECONDS)
    shop.decline_above(purchase.amount * 1000)


def test_views_are_counted_and_the_first_place_is_published(shop: Shop) -> None:
    """Without windows, which the embedded cloud does not have: each batch is one of its own."""
    posted = visit(shop, first_purchases(50))

    def counted() -> dict[str, tuple[int, int]]:
        return {record: count for record, count in shop.counters().items() if record in posted}

    wait_until(lambda: counted() == posted, "all of it to be counted", SECONDS)
    best = max(views + PURCHASE_WEIGHT * bought for views, bought in posted.values())

    def published_scores() -> set[int]:
        journal = shop.items(named(STAGE, "journal"))
        changes = [each for each in journal if each["type"]["S"] == "BestsellerChanged"]
        return {json.loads(each["data"]["S"])["score"] for each in changes}

    wait_until(lambda: bool(published_scores()), "the first place to be published", SECONDS)
    assert max(published_scores()) <= best


def test_a_malformed_event_is_a_dead_letter_of_each_of_its_consumers(
    running: LocalShop, shop: Shop, consumers: dict[str, Consumer]
) -> None:
    def dead_letters(consumer: Consumer) -> int:
        answer = running.cloud.client("sqs").get_queue_attributes(
            QueueUrl=consumer.dead_letters_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    before = {name: dead_letters(consumer) for name, consumer in consumers.items()}
    shop.publish_malformed_event()

    malformed = {"source": "shop.orders", "detail-type": "OrderPlaced", "detail": {}}
    reached = {
        name for name, consumer in consumers.items() if consumer.takes(json.dumps(malformed))
    }
    assert reached >= {"journal", "notifications", "payments"}
    due = {name: count + (name in reached) for name, count in before.items()}
    wait_until(
        lambda: {name: dead_letters(each) for name, each in consumers.items()} == due,
        "a dead letter of each consumer of orders",
        SECONDS,
    )


def test_only_a_function_without_its_permission_is_denied(
    running: LocalShop, shop: Shop, purchases: Iterator[Purchase], consumers: dict[str, Consumer]
) -> None:
    payments = consumers["payments"]
    with without_grant(running, payments, "events:PutEvents"):
        order = shop.place(next(purchases))
        wait_until(
            lambda: logged(running, payments, "AccessDenied"), "payments to be denied", SECONDS
        )
        wait_until(lambda: shop.mails()["Order placed", order] == 1, "its mail", SECONDS)
        assert shop.statuses()[order] == "placed"

    wait_for_status(shop, order, "shipped")


def test_a_function_whose_package_is_missing_from_the_layer_fails_to_import(
    running: LocalShop,
) -> None:
    lambda_ = running.cloud.client("lambda")
    name = named(STAGE, "notifications")
    layers = [
        each["Arn"] for each in lambda_.get_function_configuration(FunctionName=name)["Layers"]
    ]
    lacking = lambda_.publish_layer_version(
        LayerName="lacking", Content={"ZipFile": without_package(the_layer(), "pydantic")}
    )
    assert "No module named" not in invoked(lambda_, name)

    lambda_.update_function_configuration(FunctionName=name, Layers=[lacking["LayerVersionArn"]])
    assert "No module named 'pydantic'" in invoked(lambda_, name)

    lambda_.update_function_configuration(FunctionName=name, Layers=layers)
    assert "No module named" not in invoked(lambda_, name)


def test_a_payment_is_booked_through_the_relay(
    running: LocalShop, shop: Shop, purchases: Iterator[Purchase]
) -> None:
    order = shop.place(next(purchases))

    wait_until(lambda: line(running, f"payment/{order}") is not None, "its line", SECONDS)


def test_only_an_order_that_costs_nothing_matches_the_filter(
    running: LocalShop, shop: Shop, purchases: Iterator[Purchase]
) -> None:
    purchase = next(purchases)
    gift = shop.place(replace(purchase, amount=Decimal(0)))
    other = shop.place(next(purchases))

    wait_until(lambda: line(running, f"gift/{gift}") is not None, "its line", SECONDS)
    wait_until(lambda: line(running, f"payment/{other}") is not None, "its line", SECONDS)
    assert line(running, f"gift/{other}") is None


def test_a_schedule_runs_by_hand_and_closes_the_day(running: LocalShop) -> None:
    run_now(running.cloud, "accounts-close")

    logs = running.cloud.client("logs").filter_log_events(
        logGroupName=f"/aws/lambda/{named(STAGE, 'accounts-close')}"
    )
    assert any('"ran"' in event["message"] for event in logs["events"])


LARGE_ORDER = """
from decimal import Decimal
from contracts.orders import OrderPlaced
from patchbay.messaging.publishing import publish

class OrderWithNotes(OrderPlaced):
    notes: str
    detail_type = classmethod(lambda cls: "OrderPlaced")
    source = classmethod(lambda cls: "shop.orders")

publish(
    OrderWithNotes(
        order_id="large", customer_id="00001", items=1, amount=Decimal(0), notes="x" * 3 * 2**20
    )
)
"""


def test_an_event_of_three_mebibytes_reaches_its_consumers(
    running: LocalShop, consumers: dict[str, Consumer]
) -> None:
    function = consumers["payments"].log_group.rpartition("/")[2]
    configured = running.cloud.client("lambda").get_function_configuration(FunctionName=function)
    given = {
        name: configured["Environment"]["Variables"][name]
        for name in ("EVENT_BUS_NAME", "CLAIMS_BUCKET")
    }
    subprocess.run(
        [sys.executable, "-c", LARGE_ORDER],
        cwd=ROOT,
        env=running.cloud.environ | given,
        check=True,
    )

    # Its small fields are on the bus, where the filter sees them; the handler needs them all.
    wait_until(lambda: line(running, "gift/large") is not None, "its line", SECONDS)
    wait_until(lambda: line(running, "payment/large") is not None, "its payment", SECONDS)


def line(running: LocalShop, name: str) -> dict[str, Any] | None:
    """Return the accounts' item with that name."""
    answer = running.cloud.client("dynamodb").get_item(
        TableName=named(STAGE, "accounts-lines"), Key={"line": {"S": name}}
    )
    found: dict[str, Any] | None = answer.get("Item")
    return found


class without_grant:  # noqa: N801 - it reads as what it is: with, without
    """Takes an action from a function's role, and gives it back."""

    def __init__(self, running: LocalShop, consumer: Consumer, action: str) -> None:
        self._iam = running.cloud.client("iam")
        function = running.cloud.client("lambda").get_function_configuration(
            FunctionName=consumer.log_group.rpartition("/")[2]
        )
        self._role = function["Role"].rpartition("/")[2]
        self._action = action

    def __enter__(self) -> None:
        (self._name,) = self._iam.list_role_policies(RoleName=self._role)["PolicyNames"]
        policy = self._iam.get_role_policy(RoleName=self._role, PolicyName=self._name)
        self._document = policy["PolicyDocument"]
        left = [
            statement
            for statement in self._document["Statement"]
            if self._action not in statement["Action"]
        ]
        assert len(left) < len(self._document["Statement"])
        self._put(self._document | {"Statement": left})

    def __exit__(self, *error: object) -> None:
        self._put(self._document)

    def _put(self, document: dict[str, Any]) -> None:
        self._iam.put_role_policy(
            RoleName=self._role, PolicyName=self._name, PolicyDocument=json.dumps(document)
        )


def invoked(lambda_: Any, name: str) -> str:
    """Return the function's response to an empty batch, which shows whether it can be imported."""
    answer = lambda_.invoke(FunctionName=name, Payload=json.dumps({"Records": []}))
    return str(answer["Payload"].read().decode())


def the_layer() -> bytes:
    return build(Target(python="", architecture="", here=True)).read_bytes()


def without_package(layer: bytes, package: str) -> bytes:
    """The same layer, less one package."""
    rest = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(layer)) as whole, zipfile.ZipFile(rest, "w") as part:
        kept = [each for each in whole.infolist() if f"/{package}/" not in each.filename]
        assert len(kept) < len(whole.infolist())
        for each in kept:
            part.writestr(each, whole.read(each))
    return rest.getvalue()
