"""A look at the shop: as it is deployed in the kit, and on the embedded cloud."""

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
from patchbay.operations.health.health import Board, Cable, Doing
from patchbay.operations.health.monitor import Plan, Watch, cables_of, plan
from patchbay.testkit.faults import Throttled
from patchbay.topology.consumers import Consumer
from patchbay.topology.rules import Rule
from tests.patchbay.operations.health.boards import CABLES, SOURCES
from tests.shop import Shop

CONSUMERS = ("fulfilment", "journal", "notifications", "orders-status", "payments")


class Kit:
    """The kit's clients: its functions' logs are its own, and so is what polls for them."""

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
    """What the kit's functions have logged, as CloudWatch gives it."""

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
    """What Lambda tells of the mappings: which of them are stopped."""

    def __init__(self, stopped: set[str]) -> None:
        self._stopped = stopped

    def get_paginator(self, operation: str) -> "Mappings":
        assert operation == "list_event_source_mappings"
        return self

    def paginate(self) -> Iterator[dict[str, Any]]:
        for name in CONSUMERS:
            queue = f"records-dev-{name}"
            state = "Disabled" if queue in self._stopped else "Enabled"
            source = f"arn:aws:sqs:us-east-1:123456789012:{queue}"
            yield {"EventSourceMappings": [{"EventSourceArn": source, "State": state}]}


@pytest.fixture
def kit(cloud: Shop) -> Kit:
    return Kit(cloud)


@pytest.fixture
def watch(cloud: Shop, kit: Kit, monkeypatch: pytest.MonkeyPatch) -> Watch:
    sqs = kit.client("sqs")

    def url(name: str) -> str:
        return str(sqs.get_queue_url(QueueName=f"records-dev-{name}")["QueueUrl"])

    consumers = tuple(
        Consumer(name, url(name), url(f"{name}-dead-letters"), name, None, ()) for name in CONSUMERS
    )

    def known(clients: Clients, stage: str, now: datetime) -> Plan:
        return Plan(now, SOURCES, CABLES, consumers, tuple(queues(cloud, stage)))

    monkeypatch.setattr("patchbay.operations.health.monitor.plan", known)
    return Watch(kit, "dev")


def of(board: Board, name: str) -> Doing:
    return next(each for each in board.consumers if each.name == name)


@pytest.mark.embedded
def test_it_finds_who_publishes_and_each_rule_as_a_cable(running: LocalShop) -> None:
    found = plan(running.cloud, STAGE, datetime.now(UTC))
    sources = {source.name: source.events for source in found.sources}
    assert sources["orders"] == ("OrderPlaced",)
    assert sources["fulfilment"] == ("OrderShipped", "OrderUnfulfillable")
    assert {(cable.source, cable.consumer) for cable in found.cables} >= {
        ("orders", "payments"),
        ("payments", "fulfilment"),
        ("fulfilment", "orders-status"),
        ("payments", "orders-status"),
        (None, "journal"),
    }
    filtered = {cable.consumer for cable in found.cables if cable.is_filtered}
    assert filtered == {"accounts-gifts"}


@pytest.mark.parametrize(
    ("pattern", "cables"),
    [
        (
            {"source": ["shop.orders"], "detail-type": ["OrderPlaced"]},
            [Cable("orders", "loyalty", ("OrderPlaced",))],
        ),
        (
            {"source": ["shop.orders", "shop.day_books"], "detail": {"data": {"a": [1]}}},
            [Cable("orders", "loyalty", (), True), Cable("day-books", "loyalty", (), True)],
        ),
        ({"source": [{"prefix": "shop."}]}, [Cable(None, "loyalty", ())]),
        ({"detail-type": [{"suffix": "ed"}]}, [Cable(None, "loyalty", ())]),
    ],
)
def test_a_rule_is_a_cable_from_each_source_that_it_names(
    pattern: dict[str, Any], cables: list[Cable]
) -> None:
    assert list(cables_of(Rule("arn", json.dumps(pattern), ()), "loyalty")) == cables


def test_all_is_well_where_nothing_waits(watch: Watch) -> None:
    board = watch.look()
    assert {each.state for each in board.consumers} == {"well"}


def test_a_consumer_that_fails_is_seen_to_and_the_others_are_not(cloud: Shop, watch: Watch) -> None:
    cloud.break_("payments", with_=ConnectionError)
    cloud.place_order()
    cloud.advance(minutes=1)
    board = watch.look()
    payments = of(board, "payments")
    assert payments.state == "failing"
    assert payments.queued == 1
    assert "ConnectionError" in str(payments.because)
    assert {each.state for each in board.consumers if each.name != "payments"} == {"well"}


def test_a_consumer_is_behind_once_something_waits_for_long_and_not_when_it_comes(
    cloud: Shop, watch: Watch
) -> None:
    cloud.break_("payments", with_=Throttled())
    watch.look()
    cloud.advance(minutes=1)
    watch.look()
    cloud.place_order()
    cloud.advance(seconds=20)
    assert of(watch.look(), "payments").state == "well"
    cloud.advance(seconds=20)
    assert of(watch.look(), "payments").state == "behind"


def test_dead_letters_are_counted_until_they_are_put_back(cloud: Shop, watch: Watch) -> None:
    cloud.break_("payments", with_=ConnectionError)
    cloud.place_order()
    cloud.settle()
    assert (of(watch.look(), "payments").state, of(watch.look(), "payments").dead) == ("dead", 1)
    cloud.mend("payments")
    cloud.redrive("payments")
    cloud.settle()
    assert (of(watch.look(), "payments").state, of(watch.look(), "payments").dead) == ("well", 0)


def test_a_consumer_whose_deliveries_are_stopped_is_paused(kit: Kit, watch: Watch) -> None:
    kit.stopped = {"records-dev-payments"}
    states = {each.name: each.state for each in watch.look().consumers}
    assert states.pop("payments") == "paused"
    assert set(states.values()) == {"well"}


def test_what_goes_over_the_bus_is_shown_as_it_passes(cloud: Shop, watch: Watch) -> None:
    order = cloud.place_order()
    cloud.settle()
    board = watch.look()
    assert {each.correlation_id for each in board.passing} == {order.order_id}
    assert {"OrderPlaced", "PaymentTaken", "OrderShipped"} <= {each.type for each in board.passing}
    assert board.rates["orders", ""] > 0
    assert board.rates["orders", "payments"] > 0
