"""A consumer's deliveries are stopped and go on, and nobody else's."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.purchases import Purchase
from local.settings import STAGE
from local.shop import Shop
from local.system import System
from local.waiting import wait_until
from operations import pause as pauses
from operations.clients import Clients, OperationFailed
from operations.consumers import Consumer
from operations.pause import pause, paused_queues, resume
from stacks.naming import named

SECONDS = 60


class Lambda:
    """Polls two queues."""

    def __init__(self) -> None:
        self.mappings = [
            {"UUID": name, "EventSourceArn": f"arn:aws:sqs:r:1:{name}", "State": "Enabled"}
            for name in ("payments", "payments-refund")
        ]

    def client(self, service: str, /) -> Any:
        assert service == "lambda"
        return self

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_event_source_mappings"
        return self

    def paginate(self) -> Iterator[dict[str, Any]]:
        for mapping in self.mappings:
            yield {"EventSourceMappings": [mapping]}

    def update_event_source_mapping(self, **asked: Any) -> None:
        (mapping,) = (each for each in self.mappings if each["UUID"] == asked["UUID"])
        mapping["State"] = "Enabling" if asked["Enabled"] else "Disabling"


@pytest.fixture
def lambda_(monkeypatch: pytest.MonkeyPatch) -> Lambda:
    def deployed(clients: Clients, bus: str) -> list[Consumer]:
        return [
            Consumer(name, f"https://sqs/1/{name}", "", "", None, ())
            for name in ("payments", "payments-refund", "journal")
        ]

    monkeypatch.setattr(pauses, "deployed_consumers", deployed)
    return Lambda()


def test_it_stops_that_consumer_and_no_other(lambda_: Lambda) -> None:
    assert pause(lambda_, "dev", "payments")
    assert paused_queues(lambda_) == {"payments"}


def test_it_lets_it_go_on_again(lambda_: Lambda) -> None:
    pause(lambda_, "dev", "payments")
    assert resume(lambda_, "dev", "payments")
    assert paused_queues(lambda_) == set()


def test_what_is_so_already_is_left_alone(lambda_: Lambda) -> None:
    assert not resume(lambda_, "dev", "payments")
    pause(lambda_, "dev", "payments")
    assert not pause(lambda_, "dev", "payments")


def test_an_unknown_consumer_is_named_with_the_nearest(lambda_: Lambda) -> None:
    with pytest.raises(OperationFailed, match="Did you mean 'payments'"):
        pause(lambda_, "dev", "payment")


def test_a_consumer_that_nothing_polls_for_is_said_to_be_so(lambda_: Lambda) -> None:
    with pytest.raises(OperationFailed, match="Nothing polls the queue of 'journal'"):
        pause(lambda_, "dev", "journal")


@pytest.mark.embedded
def test_what_comes_while_it_is_paused_is_handled_afterwards(
    running: System, shop: Shop, purchases: Iterator[Purchase]
) -> None:
    pause(running.cloud, STAGE, "orders-status")
    try:
        assert named(STAGE, "orders-status") in paused_queues(running.cloud)
        order = shop.place(next(purchases))
        url = running.cloud.client("sqs").get_queue_url(QueueName=named(STAGE, "orders-status"))
        sqs, counted = running.cloud.client("sqs"), "ApproximateNumberOfMessages"

        def waits() -> bool:
            asked = sqs.get_queue_attributes(QueueUrl=url["QueueUrl"], AttributeNames=[counted])
            return int(asked["Attributes"][counted]) >= 2

        wait_until(waits, "the order's events to wait for orders-status", SECONDS)
        assert shop.statuses()[order] == "placed"
    finally:
        resume(running.cloud, STAGE, "orders-status")
    wait_until(lambda: shop.statuses()[order] == "shipped", "the order to be shipped", SECONDS)
