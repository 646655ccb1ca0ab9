"""The whole system on the local cloud, where the real CDK CLI has deployed it."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from local.consumers import Consumer, deployed_consumers
from local.purchases import Purchase, first_purchases
from local.settings import STAGE
from local.shop import Shop
from local.system import System, system
from local.waiting import wait_until
from stacks.layer import build
from stacks.naming import bus_name, named
from stacks.stage import Stage

pytestmark = pytest.mark.embedded

SECONDS = 60  # what a cold start, a retry and a slow machine take together


@pytest.fixture(scope="module")
def running() -> Iterator[System]:
    with system() as deployed:
        yield deployed


@pytest.fixture(scope="module")
def shop(running: System) -> Shop:
    shop = Shop(running.cloud, running.provider_url)
    shop.let_mails_out()
    return shop


@pytest.fixture(scope="module")
def purchases() -> Iterator[Purchase]:
    """Purchases of which none is ever made twice."""
    return iter(first_purchases(100))


@pytest.fixture
def consumers(running: System) -> dict[str, Consumer]:
    return {each.name: each for each in deployed_consumers(running.cloud, bus_name(STAGE))}


def logged(running: System, consumer: Consumer, text: str) -> bool:
    logs = running.cloud.client("logs")
    events = logs.filter_log_events(logGroupName=consumer.log_group)["events"]
    return any(text in event["message"] for event in events)


def wait_for_status(shop: Shop, order: str, status: str) -> None:
    wait_until(
        lambda: shop.statuses().get(order) == status, f"order {order} to be {status}", SECONDS
    )


def test_an_order_is_paid_and_its_customer_gets_one_mail(
    shop: Shop, purchases: Iterator[Purchase]
) -> None:
    order = shop.place(next(purchases))

    wait_for_status(shop, order, "paid")
    wait_until(lambda: shop.mails()["Order placed", order] == 1, "its mail", SECONDS)
    assert [entry["status"] for entry in shop.ledger() if entry["order_id"] == order] == [
        "succeeded"
    ]


def test_the_bus_keeps_what_passed_in_its_archive(running: System) -> None:
    archive = running.cloud.client("events").describe_archive(ArchiveName=bus_name(STAGE))

    assert archive["State"] == "ENABLED"
    assert archive["EventCount"] > 0


def test_an_order_that_is_placed_twice_is_one_order(
    shop: Shop, purchases: Iterator[Purchase]
) -> None:
    purchase = next(purchases)

    assert shop.place(purchase) == shop.place(purchase)


def test_an_order_above_the_limit_is_declined_and_its_customer_is_told(
    shop: Shop, purchases: Iterator[Purchase]
) -> None:
    purchase = next(purchases)
    shop.decline_above(purchase.amount / 2)

    order = shop.place(purchase)

    wait_for_status(shop, order, "declined")
    wait_until(lambda: shop.mails()["Payment declined", order] == 1, "its mail", SECONDS)
    shop.decline_above(purchase.amount * 1000)


def test_a_malformed_event_is_a_dead_letter_of_each_consumer_that_it_reaches(
    running: System, shop: Shop, consumers: dict[str, Consumer]
) -> None:
    shop.put_malformed_event()

    def letters(consumer: Consumer) -> int:
        answer = running.cloud.client("sqs").get_queue_attributes(
            QueueUrl=consumer.dead_letters_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    reached = [consumers["notifications"], consumers["payments"]]
    wait_until(lambda: all(letters(each) == 1 for each in reached), "two dead letters", SECONDS)
    assert letters(consumers["orders-status"]) == 0


def test_a_function_without_its_grant_is_denied_and_nothing_else_is(
    running: System, shop: Shop, purchases: Iterator[Purchase], consumers: dict[str, Consumer]
) -> None:
    payments = consumers["payments"]
    with without_grant(running, payments, "events:PutEvents"):
        order = shop.place(next(purchases))
        wait_until(
            lambda: logged(running, payments, "AccessDenied"), "payments to be denied", SECONDS
        )
        wait_until(lambda: shop.mails()["Order placed", order] == 1, "its mail", SECONDS)
        assert shop.statuses()[order] == "placed"

    wait_for_status(shop, order, "paid")


def test_a_function_whose_package_is_missing_from_the_layer_fails_to_import(
    running: System,
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


class without_grant:  # noqa: N801 - it reads as what it is: with, without
    """Takes an action from a function's role, and gives it back."""

    def __init__(self, running: System, consumer: Consumer, action: str) -> None:
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
    """What the function answers to a batch of nothing, which shows whether it can be imported."""
    answer = lambda_.invoke(FunctionName=name, Payload=json.dumps({"Records": []}))
    return str(answer["Payload"].read().decode())


def the_layer() -> bytes:
    stage = Stage(name="local", mail_from="", mail_to="", payment_provider=None)
    return build(stage).read_bytes()


def without_package(layer: bytes, package: str) -> bytes:
    """The same layer, less one package."""
    rest = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(layer)) as whole, zipfile.ZipFile(rest, "w") as part:
        kept = [each for each in whole.infolist() if f"/{package}/" not in each.filename]
        assert len(kept) < len(whole.infolist())
        for each in kept:
            part.writestr(each, whole.read(each))
    return rest.getvalue()
