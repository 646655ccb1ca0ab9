"""Order by a key: each customer's events are handled in order, under any failure."""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from contracts.payments import PaymentTaken
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.faults import (
    CrashesAfterEffect,
    Duplicated,
    Fault,
    Raises,
    ReturnsGarbage,
    Slow,
    Throttled,
    TimesOut,
)
from patchbay.testkit.templates import Templates
from tests.shop import Shop

CONSUMER, RELAY = "accounts-statement", "accounts-statement-relay"
FAULTS: tuple[Fault, ...] = (
    Raises(ConnectionError),
    Slow(7),
    TimesOut(),
    Throttled(),
    CrashesAfterEffect(),
    ReturnsGarbage(),
    Duplicated(),
)
CUSTOMERS = ("A", "B")


def pay(cloud: Cloud, customer: str | None, number: int) -> str:
    """Publish a customer's payment."""
    return cloud.publish(
        PaymentTaken(
            order_id=f"{customer}-{number}", customer_id=customer, amount=Decimal(1), items=1
        )
    )


def lines(cloud: Cloud) -> dict[str, list[int]]:
    """The numbers of each customer's payments, in the order in which they were booked."""
    booked: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for line in cloud.table("accounts-lines"):
        customer, _, number = line["order_id"].partition("-")
        booked[customer].append((line["number"], int(number)))
    return {customer: [each for _, each in sorted(pairs)] for customer, pairs in booked.items()}


def in_batches_of(templates: Templates, size: int) -> Templates:
    """The system whose ordered consumer takes so many events at once."""
    stack = "records-dev-accounts"
    resources: dict[str, Any] = dict(templates.bodies[stack]["Resources"])
    for name, body in resources.items():
        properties = body.get("Properties", {})
        if properties.get("BatchSize") == 1:
            resources[name] = {**body, "Properties": {**properties, "BatchSize": size}}
    template = {**templates.bodies[stack], "Resources": resources}
    return templates.with_bodies({**templates.bodies, stack: template})


breaks = st.tuples(
    st.sampled_from((CONSUMER, RELAY)), st.sampled_from(FAULTS), st.integers(1, 3),
    st.sampled_from((0, 1, 60, 600)),
)  # fmt: skip
steps = st.lists(st.sampled_from(CUSTOMERS) | breaks, min_size=3, max_size=14)


@pytest.mark.parametrize("batch_size", [1, 10])
def test_under_random_failures_each_customers_events_are_handled_in_order_and_none_is_lost(
    batch_size: int, templates: Templates
) -> None:
    deployed = in_batches_of(templates, batch_size)

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(steps)
    def whatever_happens(plan: list[Any]) -> None:
        with Shop(deployed) as cloud:
            published: dict[str, list[int]] = defaultdict(list)
            for number, step in enumerate(plan):
                if isinstance(step, str):
                    pay(cloud, step, number)
                    published[step].append(number)
                else:
                    function, fault, times, wait = step
                    # Fewer than make a dead letter.
                    lasting = timedelta(minutes=5)
                    cloud.break_(function, with_=fault, times=times, lasting=lasting)
                    cloud.advance(seconds=wait)
            cloud.settle()
            assert lines(cloud) == published, cloud.history()
            assert cloud.lost == []
            assert cloud.dead_letters(CONSUMER).causes == []

    with mock_aws():
        whatever_happens()


def test_a_failed_event_delays_its_own_customer_only(
    cloud: Shop,
) -> None:
    cloud.break_(CONSUMER, with_=ConnectionError, times=1)
    first, second, other = pay(cloud, "A", 1), pay(cloud, "A", 2), pay(cloud, "B", 1)
    cloud.settle()
    assert cloud.handled(CONSUMER) == [other, first, second]


def test_in_a_batch_a_failed_event_stops_the_later_ones_of_its_customer_only(
    templates: Templates,
) -> None:
    with Shop(in_batches_of(templates, 10)) as cloud:
        cloud.break_(CONSUMER, with_=ConnectionError, times=1)
        first, second, other = pay(cloud, "A", 1), pay(cloud, "A", 2), pay(cloud, "B", 1)
        cloud.settle()
        assert cloud.handled(CONSUMER) == [other, first, second]
        # Had the second been held for its visibility timeout, they would have waited for that.
        assert cloud.handled_at(CONSUMER)[second] < cloud.start + timedelta(minutes=1)


def test_an_event_that_always_fails_blocks_its_customer_until_it_is_a_dead_letter(
    cloud: Shop,
) -> None:
    cloud.break_(CONSUMER, with_=ConnectionError, times=12)
    failed, behind = pay(cloud, "A", 1), pay(cloud, "A", 2)
    cloud.settle()
    assert cloud.dead_letters(CONSUMER).causes == [failed]
    assert cloud.handled(CONSUMER) == [behind]


def test_a_redriven_event_is_handled_after_the_later_ones(cloud: Shop) -> None:
    cloud.break_(CONSUMER, with_=ConnectionError, times=12)
    failed, behind = pay(cloud, "A", 1), pay(cloud, "A", 2)
    cloud.settle()
    assert cloud.redrive(CONSUMER) == 1
    cloud.settle()
    assert cloud.handled(CONSUMER) == [behind, failed]
    assert cloud.dead_letters(CONSUMER).causes == []
    assert lines(cloud) == {"A": [2, 1]}


def test_a_rejected_event_keeps_its_message_group_as_a_dead_letter(cloud: Shop) -> None:
    detail = {"metadata": {"id": "no id"}, "data": {"customer_id": "A"}}
    cloud.put("shop.payments", "PaymentTaken", detail)
    good = pay(cloud, "A", 1)
    cloud.settle()
    (reason,) = cloud.dead_letters(CONSUMER).reasons
    assert reason is not None
    assert "breaks its contract: id" in reason
    dead = cloud.queue(CONSUMER).dead_letters
    assert dead is not None
    assert [message.group_id for message in dead.messages()] == ["A"]
    assert cloud.handled(CONSUMER) == [good]


def test_events_without_a_key_delay_no_other_event(cloud: Shop) -> None:
    cloud.break_(CONSUMER, with_=ConnectionError, times=2)
    stuck, other = pay(cloud, None, 1), pay(cloud, None, 2)
    cloud.settle()
    assert set(cloud.handled(CONSUMER)) == {stuck, other}


def test_events_that_reach_the_relay_out_of_order_are_sorted(cloud: Shop) -> None:
    cloud.break_(RELAY, with_=Throttled(), lasting=timedelta(seconds=30))
    for number, second in ((2, 2), (1, 1), (3, 3)):
        detail = {
            "metadata": {
                "id": f"00000000-0000-4000-8000-00000000000{number}",
                "version": 1,
                "correlation_id": "a journey",
                "published_at": f"2026-01-01T00:00:0{second}Z",
            },
            "data": {"order_id": f"A-{number}", "customer_id": "A", "amount": 1},
        }
        cloud.put("shop.payments", "PaymentTaken", detail)
    cloud.settle()
    assert lines(cloud) == {"A": [1, 2, 3]}


def test_a_relay_that_can_not_send_loses_nothing_and_its_dead_letters_can_be_redriven(
    cloud: Shop,
) -> None:
    cloud.break_(RELAY, with_=ConnectionError)
    first, second = pay(cloud, "A", 1), pay(cloud, "A", 2)
    cloud.settle()
    assert cloud.undelivered(CONSUMER).causes == [first, second]
    cloud.mend(RELAY)
    cloud.redrive(CONSUMER)
    cloud.settle()
    assert cloud.handled(CONSUMER) == [first, second]
