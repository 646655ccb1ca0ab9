"""Journeys and replays on the embedded cloud."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest

from demo.purchases import Purchase
from demo.settings import STAGE
from demo.shop import Shop
from demo.surroundings import LocalShop
from patchbay.errors import UserError
from patchbay.operations.consumers import deployed_consumers
from patchbay.operations.journeys.deliveries import Delivery
from patchbay.operations.journeys.executions import Execution
from patchbay.operations.journeys.journal import Entry
from patchbay.operations.journeys.journey import Step, journey
from patchbay.operations.journeys.tail import Filter, Tail
from patchbay.operations.replay import replay
from patchbay.processes.waiting import wait_until
from patchbay.project.naming import bus_name
from patchbay.topology.consumers import Consumer

pytestmark = pytest.mark.embedded

SECONDS = 90  # for cold starts and retries on a slow machine


@contextmanager
def giving_up_at_once(running: LocalShop, consumer: Consumer) -> Iterator[None]:
    """Set the maximum receive count of the consumer's queue to 1."""
    sqs, url = running.cloud.client("sqs"), consumer.queue_url
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    before = attributes["Attributes"]["RedrivePolicy"]
    changed = json.dumps({**json.loads(before), "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": changed})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": before})


@pytest.fixture
def consumers(running: LocalShop) -> dict[str, Consumer]:
    return {each.name: each for each in deployed_consumers(running.cloud, bus_name(STAGE))}


def is_known(running: LocalShop, order: str) -> bool:
    with suppress(UserError):
        return bool(journey(running.cloud, STAGE, order))
    return False


def of(steps: list[Step], event: str, consumer: str) -> Delivery | None:
    """Return the delivery of the journey's event of that type to a consumer."""
    for step in steps:
        if step.entry.type == event:
            return next((each for each in step.deliveries if each.consumer == consumer), None)
        if found := of(step.after, event, consumer):
            return found
    return None


def test_a_retried_payment_and_a_mail_that_is_a_dead_letter_are_shown_with_their_reasons(
    running: LocalShop, shop: Shop, purchases: Iterator[Purchase], consumers: dict[str, Consumer]
) -> None:
    def seen(order: str, consumer: str) -> Delivery:
        found = of(journey(running.cloud, STAGE, order), "OrderPlaced", consumer)
        assert found
        return found

    with giving_up_at_once(running, consumers["notifications"]):
        shop.remove_sender()
        shop.take_payments_down()
        order = shop.place(next(purchases))
        wait_until(lambda: is_known(running, order), "the journal to know the order", SECONDS)
        wait_until(lambda: bool(seen(order, "payments").failures), "a failed payment", SECONDS)
        shop.decline_nothing()
        wait_until(lambda: shop.statuses()[order] == "shipped", "the order to be shipped", SECONDS)
        wait_until(lambda: seen(order, "notifications").is_dead, "a mail to be dead", SECONDS)
        shop.verify_sender()

    payments, mail = seen(order, "payments"), seen(order, "notifications")
    assert "the payment provider answered 503" in payments.failures[0].reason
    assert payments.handled_at is not None
    assert not payments.is_dead
    assert "MessageRejected" in str(mail.reason) or "not verified" in str(mail.reason)
    assert mail.handled_at is None


def test_the_tail_has_each_event_and_any_event_leads_to_its_journey(
    running: LocalShop, shop: Shop, purchases: Iterator[Purchase]
) -> None:
    tail = Tail(running.cloud, STAGE)
    order = shop.place(next(purchases))
    seen: list[Entry] = []

    def is_shipped() -> bool:
        seen.extend(event for event in tail.read() if event in Filter(id=order))
        return bool(seen) and seen[-1].type == "OrderShipped"

    wait_until(is_shipped, "the order's last event", SECONDS)
    assert [event.type for event in seen] == ["OrderPlaced", "PaymentTaken", "OrderShipped"]
    (step,) = journey(running.cloud, STAGE, seen[-1].id)
    assert step.entry == seen[0]

    def execution() -> Execution | None:
        done = of(journey(running.cloud, STAGE, order), "PaymentTaken", "fulfilment")
        return done.execution if done else None

    wait_until(lambda: execution() is not None, "the workflow to be known", SECONDS)
    ended = execution()
    assert ended
    assert ended.status == "SUCCEEDED"


def test_an_unknown_order_has_no_journey(running: LocalShop) -> None:
    with pytest.raises(UserError, match="has no journey 'no-such-order'"):
        journey(running.cloud, STAGE, "no-such-order")


def test_a_stage_that_is_not_deployed_is_named(running: LocalShop) -> None:
    with pytest.raises(UserError, match="is the stage 'prod' deployed in this account"):
        journey(running.cloud, "prod", "order-1")


def test_a_replay_is_delivered_to_the_consumer_that_it_names_and_to_no_other(
    running: LocalShop, shop: Shop, purchases: Iterator[Purchase], consumers: dict[str, Consumer]
) -> None:
    order = shop.place(next(purchases))
    wait_until(lambda: shop.statuses()[order] == "shipped", "the order to be shipped", SECONDS)
    ago, soon = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
    before = {name: repeated(running, each) for name, each in consumers.items()}

    done = replay(
        running.cloud, STAGE, since=ago, until=soon, to="payments", on_progress=lambda state: None
    )

    assert done.state == "COMPLETED"
    wait_until(lambda: repeated(running, consumers["payments"]) > 0, "payments to skip", SECONDS)
    after = {name: repeated(running, each) for name, each in consumers.items()}
    assert {name for name in after if after[name] != before[name]} == {"payments"}


@pytest.mark.parametrize(
    ("consumer", "why"),
    [("payment", "Did you mean 'payments'"), ("journal", "takes live events only")],
)
def test_a_replay_to_a_consumer_that_can_not_receive_it_is_refused(
    running: LocalShop, consumer: str, why: str
) -> None:
    now = datetime.now(UTC)
    with pytest.raises(UserError, match=why):
        replay(
            running.cloud,
            STAGE,
            since=now - timedelta(hours=1),
            until=now,
            to=consumer,
            on_progress=lambda state: None,
        )


def repeated(running: LocalShop, consumer: Consumer) -> int:
    """Return how many deliveries it has skipped because it had handled the event."""
    logs = running.cloud.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=consumer.log_group)
    lines = [event["message"] for page in pages for event in page["events"]]
    return sum('"message":"already handled"' in line for line in lines)
