"""The monitor of the shop, in the test kit and on the embedded cloud."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from demo.settings import STAGE
from demo.surroundings import LocalShop
from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.queues import queues
from patchbay.operations.health.health import (
    ConsumerHealth,
    PublishingService,
    ServiceSubscription,
    SystemHealth,
)
from patchbay.operations.health.monitor import Deployed, Monitor, deployed, subscriptions_of
from patchbay.testkit.faults import Throttled
from patchbay.topology.consumers import Consumer
from patchbay.topology.rules import Rule
from tests.shop import Shop

CONSUMERS = ("fulfilment", "journal", "notifications", "orders-status", "payments")

PUBLISHERS = (
    PublishingService("fulfilment", ("OrderShipped", "OrderUnfulfillable")),
    PublishingService("orders", ("OrderPlaced",)),
    PublishingService("payments", ("PaymentDeclined", "PaymentRefunded", "PaymentTaken")),
)
SUBSCRIPTIONS = (
    ServiceSubscription("orders", "notifications", ("OrderPlaced",)),
    ServiceSubscription("orders", "payments", ("OrderPlaced",)),
    ServiceSubscription("payments", "fulfilment", ("PaymentTaken",)),
)


class Kit:
    """Clients of the kit, which has its own logs and its own event source mappings."""

    def __init__(self, cloud: Shop) -> None:
        self._cloud = cloud
        self.stopped: set[str] = set()

    def client(self, service: str, /) -> Any:
        if service == "logs":
            return Logs(self._cloud)
        if service == "lambda":
            return Mappings(self.stopped)
        client: Any = boto3.client(service)  # type: ignore[call-overload]
        return client


class Logs:
    """The logs of the kit's functions, as a client of CloudWatch Logs."""

    class exceptions:  # noqa: N801 - boto3's name
        ResourceNotFoundException = KeyError

    def __init__(self, cloud: Shop) -> None:
        self._cloud = cloud

    def get_paginator(self, operation: str) -> "Logs":
        assert operation == "filter_log_events"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        function = asked["logGroupName"]
        lines = self._cloud.logs(function)
        stamp = int(self._cloud.now.timestamp() * 1000)
        yield {
            "events": [
                {"logStreamName": str(number), "timestamp": stamp, "message": json.dumps(line)}
                for number, line in enumerate(lines)
            ]
        }


class Mappings:
    """The event source mappings, as a client of Lambda."""

    def __init__(self, stopped: set[str]) -> None:
        self._stopped = stopped

    def get_paginator(self, operation: str) -> "Mappings":
        assert operation == "list_event_source_mappings"
        return self

    def paginate(self) -> Iterator[dict[str, Any]]:
        for name in CONSUMERS:
            queue = f"records-dev-{name}"
            state = "Disabled" if queue in self._stopped else "Enabled"
            arn = f"arn:aws:sqs:us-east-1:123456789012:{queue}"
            yield {"EventSourceMappings": [{"EventSourceArn": arn, "State": state}]}


@pytest.fixture
def kit(cloud: Shop) -> Kit:
    return Kit(cloud)


@pytest.fixture
def watch(cloud: Shop, kit: Kit, monkeypatch: pytest.MonkeyPatch) -> Monitor:
    sqs = kit.client("sqs")

    def url(name: str) -> str:
        return str(sqs.get_queue_url(QueueName=f"records-dev-{name}")["QueueUrl"])

    consumers = tuple(
        Consumer(name, url(name), url(f"{name}-dead-letters"), name, None, ()) for name in CONSUMERS
    )

    def known(clients: Clients, stage: str, now: datetime) -> Deployed:
        return Deployed(now, PUBLISHERS, SUBSCRIPTIONS, consumers, tuple(queues(cloud, stage)))

    monkeypatch.setattr("patchbay.operations.health.monitor.deployed", known)
    return Monitor(kit, "dev")


def of(health: SystemHealth, name: str) -> ConsumerHealth:
    return next(each for each in health.consumers if each.name == name)


@pytest.mark.embedded
def test_it_finds_the_publishers_and_a_subscription_for_each_rule(running: LocalShop) -> None:
    found = deployed(running.cloud, STAGE, datetime.now(UTC))
    publishers = {publisher.name: publisher.events for publisher in found.publishers}
    assert publishers["orders"] == ("OrderPlaced",)
    assert publishers["fulfilment"] == ("OrderShipped", "OrderUnfulfillable")
    assert {
        (subscription.publisher, subscription.consumer) for subscription in found.subscriptions
    } >= {
        ("orders", "payments"),
        ("payments", "fulfilment"),
        ("fulfilment", "orders-status"),
        ("payments", "orders-status"),
        (None, "journal"),
    }
    filtered = {
        subscription.consumer for subscription in found.subscriptions if subscription.is_filtered
    }
    assert filtered == {"accounts-gifts"}


@pytest.mark.parametrize(
    ("pattern", "subscriptions"),
    [
        (
            {"source": ["shop.orders"], "detail-type": ["OrderPlaced"]},
            [ServiceSubscription("orders", "loyalty", ("OrderPlaced",))],
        ),
        (
            {"source": ["shop.orders", "shop.day_books"], "detail": {"data": {"a": [1]}}},
            [
                ServiceSubscription("orders", "loyalty", (), True),
                ServiceSubscription("day-books", "loyalty", (), True),
            ],
        ),
        ({"source": [{"prefix": "shop."}]}, [ServiceSubscription(None, "loyalty", ())]),
        ({"detail-type": [{"suffix": "ed"}]}, [ServiceSubscription(None, "loyalty", ())]),
    ],
)
def test_a_rule_is_a_subscription_to_each_source_that_it_names(
    pattern: dict[str, Any], subscriptions: list[ServiceSubscription]
) -> None:
    assert list(subscriptions_of(Rule("arn", json.dumps(pattern), ()), "loyalty")) == subscriptions


def test_all_consumers_are_well_if_nothing_waits(watch: Monitor) -> None:
    health = watch.check()
    assert {each.state for each in health.consumers} == {"well"}


def test_a_consumer_that_fails_is_failing_and_the_others_are_well(
    cloud: Shop, watch: Monitor
) -> None:
    cloud.break_("payments", with_=ConnectionError)
    cloud.place_order()
    cloud.advance(minutes=1)
    health = watch.check()
    payments = of(health, "payments")
    assert payments.state == "failing"
    assert payments.queued == 1
    assert "ConnectionError" in str(payments.last_error)
    assert {each.state for each in health.consumers if each.name != "payments"} == {"well"}


def test_a_consumer_is_behind_once_a_message_waits_too_long_and_not_when_it_arrives(
    cloud: Shop, watch: Monitor
) -> None:
    cloud.break_("payments", with_=Throttled())
    watch.check()
    cloud.advance(minutes=1)
    watch.check()
    cloud.place_order()
    cloud.advance(seconds=20)
    assert of(watch.check(), "payments").state == "well"
    cloud.advance(seconds=20)
    assert of(watch.check(), "payments").state == "behind"


def test_dead_letters_are_counted_until_they_are_redriven(cloud: Shop, watch: Monitor) -> None:
    cloud.break_("payments", with_=ConnectionError)
    cloud.place_order()
    cloud.settle()
    assert (of(watch.check(), "payments").state, of(watch.check(), "payments").dead) == ("dead", 1)
    cloud.mend("payments")
    cloud.redrive("payments")
    cloud.settle()
    assert (of(watch.check(), "payments").state, of(watch.check(), "payments").dead) == ("well", 0)


def test_a_consumer_whose_deliveries_are_stopped_is_paused(kit: Kit, watch: Monitor) -> None:
    kit.stopped = {"records-dev-payments"}
    states = {each.name: each.state for each in watch.check().consumers}
    assert states.pop("payments") == "paused"
    assert set(states.values()) == {"well"}


def test_the_recent_events_on_the_bus_are_shown_with_their_rates(
    cloud: Shop, watch: Monitor
) -> None:
    order = cloud.place_order()
    cloud.settle()
    health = watch.check()
    assert {each.correlation_id for each in health.recent_events} == {order.order_id}
    assert {"OrderPlaced", "PaymentTaken", "OrderShipped"} <= {
        each.type for each in health.recent_events
    }
    assert health.rates["orders", ""] > 0
    assert health.rates["orders", "payments"] > 0
