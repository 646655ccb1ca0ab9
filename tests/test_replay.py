"""Replays: past events for one consumer, and for no other."""

from collections import Counter
from typing import Any

import pytest

from patchbay.testkit.errors import NotInTheKit
from patchbay.testkit.templates import Templates
from tests.shop import Shop

ORDERS = 50


def handled(cloud: Shop) -> dict[str, list[str]]:
    return {consumer: cloud.handled(consumer) for consumer in cloud.consumers}


def left_behind(cloud: Shop) -> dict[str, Any]:
    """Return the effects of all handled events: tables, mails, the ledger, and published events."""
    tables = {name: cloud.table(name) for name in cloud.tables if not name.endswith("-idempotency")}
    return {
        "tables": tables,
        "mails": cloud.mails(),
        "ledger": cloud.ledger(),
        "published": {event.id for event in cloud.published()},
    }


def received(cloud: Shop) -> dict[str, int]:
    """Return the number of messages that each consumer has received."""
    queues = [delivery.queue for event in cloud.published() for delivery in event.deliveries]
    return {name: queues.count(cloud.queue(name).name) for name in cloud.consumers}


def without(templates: Templates, stack: str) -> Templates:
    bodies = dict(templates.bodies)
    del bodies[stack]
    return templates.with_bodies(bodies)


def test_a_replay_to_a_new_consumer_reaches_no_other_consumer(
    templates: Templates,
) -> None:
    with Shop(without(templates, "records-dev-notifications")) as cloud:
        orders = [cloud.place_order(customer_id=f"{number:05}") for number in range(ORDERS)]
        cloud.settle()
        before, given = handled(cloud), received(cloud)

        cloud.deploy(templates)
        cloud.replay(to="notifications")
        cloud.settle()

        after = handled(cloud)
        assert sorted(after.pop("notifications")) == sorted(order.event_id for order in orders)
        assert after == before
        assert received(cloud) == {**given, "notifications": ORDERS}
        for order in orders:
            assert cloud.mails_to(order.customer_id) == ["Order placed"]


def test_an_existing_consumer_skips_events_that_it_has_handled(cloud: Shop) -> None:
    order = cloud.place_order()
    cloud.settle()
    before = handled(cloud)
    cloud.replay(to="payments")
    cloud.settle()
    assert handled(cloud) == before
    assert len(cloud.logs("payments", "already handled")) == 1
    assert len(cloud.ledger()) == 1
    assert cloud.order(order.order_id).status == "shipped"


def test_a_replay_for_everyone_reaches_every_consumer_except_wire_taps(
    cloud: Shop,
) -> None:
    cloud.place_order()
    cloud.settle()
    given = received(cloud)
    cloud.replay()
    cloud.settle()
    taps = cloud.wire_taps
    assert received(cloud) == {
        name: count if name in taps else 2 * count for name, count in given.items()
    }


def test_a_replay_for_everyone_changes_nothing(cloud: Shop) -> None:
    cloud.decline_above("100.00")
    for number, amount in enumerate(("0", "11.77", "100.01")):
        cloud.place_order(customer_id=f"{number:05}", amount=amount)
    cloud.settle()
    before, effects = handled(cloud), left_behind(cloud)
    cloud.replay()
    cloud.settle()
    assert left_behind(cloud) == effects
    for name, events in handled(cloud).items():
        again = name in cloud.naturally_idempotent - cloud.wire_taps
        assert Counter(events) == Counter(before[name] * (2 if again else 1)), name


def test_only_events_published_in_the_period_are_replayed(cloud: Shop) -> None:
    cloud.place_order()
    cloud.settle()
    cloud.advance(hours=1)
    second = cloud.now
    cloud.place_order()
    cloud.settle()
    given = received(cloud)
    assert cloud.replay(to="payments", since=second) < len(cloud.published())
    cloud.settle()
    assert received(cloud) == {**given, "payments": given["payments"] + 1}


@pytest.mark.parametrize("name", ["payments", "payments-refund", "orders-status", "notification"])
def test_a_replay_with_another_name_reaches_no_consumer(name: str, cloud: Shop) -> None:
    """Such a replay may be started in AWS's console, by somebody who does not know the names."""
    cloud.place_order()
    cloud.settle()
    given = received(cloud)
    for event in cloud.published("OrderPlaced"):
        cloud._system.buses.replay(event, f"{name}-again")
    cloud.settle()
    assert received(cloud) == given


def test_without_an_archive_there_is_nothing_to_replay(templates: Templates) -> None:
    bodies = dict(templates.bodies)
    broker = bodies["records-dev-broker"]
    resources = {
        name: resource
        for name, resource in broker["Resources"].items()
        if resource["Type"] != "AWS::Events::Archive"
    }
    bodies["records-dev-broker"] = {**broker, "Resources": resources}
    with (
        Shop(templates.with_bodies(bodies)) as cloud,
        pytest.raises(NotInTheKit, match="archive"),
    ):
        cloud.replay()
