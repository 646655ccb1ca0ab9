"""Dead letters are redriven to where they failed, and none is lost."""

import json
import time
from typing import Any

import pytest

from contracts.orders import OrderPlaced
from patchbay.errors import UserError
from patchbay.operations.dead_letters.browse import browse
from patchbay.operations.dead_letters.drain import DrainResult
from patchbay.operations.dead_letters.queues import queues
from patchbay.operations.dead_letters.redrive import redrive
from patchbay.operations.dead_letters.selection import Selection
from patchbay.testkit.faults import DynamoDBThrottled, RefusesEntries, Undeliverable
from tests.shop import Shop

PAYMENTS = Selection(owner="payments")


def redriven(cloud: Shop, selection: Selection, **options: Any) -> list[DrainResult]:
    return redrive(cloud, "dev", selection, **options)


def nonsense(cloud: Shop, dead_letters: int, consumer: str = "payments") -> None:
    for number in range(dead_letters):
        cloud.send(consumer, f"nonsense {number}")
    cloud.settle()


def test_a_dead_letter_is_redriven_to_its_queue_and_handled_there(cloud: Shop) -> None:
    cloud.break_("payments", with_=ConnectionError("down"))
    order = cloud.place_order()
    cloud.settle()
    cloud.mend("payments")
    (done,) = redriven(cloud, PAYMENTS)
    assert (done.queue.count, done.done, done.failed) == (1, 1, {})
    assert done.after
    assert done.after.count == 0
    cloud.settle()
    assert cloud.handled("payments") == [order.event_id]
    assert cloud.order(order.order_id).status == "shipped"
    assert cloud.lost == []


def test_an_undelivered_event_is_redriven_too(cloud: Shop) -> None:
    cloud.break_("payments", with_=Undeliverable())
    order = cloud.place_order()
    cloud.advance(days=2)
    cloud.mend("payments")
    (done,) = redriven(cloud, PAYMENTS)
    assert (done.queue.kind, done.done) == ("delivery", 1)
    cloud.settle()
    assert cloud.handled("payments") == [order.event_id]


def test_undelivered_events_of_an_ordered_consumer_are_redriven_through_the_relay(
    cloud: Shop,
) -> None:
    cloud.break_("accounts-statement", with_=Undeliverable())
    for _ in range(12):
        cloud.place_order(customer_id="00007")
    cloud.advance(days=2)
    cloud.mend("accounts-statement")
    (done,) = redriven(cloud, Selection(owner="accounts-statement"))
    assert done.done == 12
    cloud.settle()
    assert len(cloud.handled("accounts-statement")) == 12
    assert cloud.lost == []


def test_an_ordered_consumers_dead_letters_keep_their_group_and_their_order(cloud: Shop) -> None:
    cloud.break_("accounts-statement", with_=ConnectionError("down"))
    for customer in ("00007", "00008"):
        for _ in range(3):
            cloud.place_order(customer_id=customer)
    cloud.settle()
    cloud.mend("accounts-statement")
    dead = cloud.dead_letters("accounts-statement").causes
    redriven(cloud, Selection(owner="accounts-statement"))
    groups = {message.group_id for message in cloud.queue("accounts-statement").messages()}
    assert groups == {"00007", "00008"}
    cloud.settle()
    assert sorted(cloud.handled("accounts-statement")) == sorted(dead)
    lines = cloud.table("accounts-lines")
    assert len(lines) == 6


def test_an_ordered_consumers_dead_letter_can_be_redriven_again_within_five_minutes(
    cloud: Shop,
) -> None:
    cloud.send("accounts-statement", "nonsense")
    cloud.settle()
    for _ in range(3):
        (done,) = redriven(cloud, Selection(owner="accounts-statement"))
        assert done.done == 1
        cloud.settle()
        assert len(cloud.dead_letters("accounts-statement")) == 1


def test_the_reason_of_the_earlier_failure_is_not_sent_again(cloud: Shop) -> None:
    nonsense(cloud, 1)
    redriven(cloud, PAYMENTS)
    (message,) = cloud.queue("payments").messages()
    assert message.message_attributes == {}


def test_the_other_attributes_of_a_message_are_sent_again(cloud: Shop) -> None:
    own = {"StringValue": "yes", "DataType": "String"}
    stale = {"StringValue": "because", "DataType": "String"}
    dead = cloud.queue("payments").dead_letters
    assert dead is not None
    cloud.client("sqs").send_message(
        QueueUrl=dead.url, MessageBody="x", MessageAttributes={"Mine": own, "Reason": stale}
    )
    redriven(cloud, PAYMENTS)
    (message,) = cloud.queue("payments").messages()
    assert message.message_attributes.keys() == {"Mine"}


def test_a_dead_letter_that_fails_again_is_not_redriven_twice(
    cloud: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    nonsense(cloud, 12)

    def fail_at_once(result: DrainResult) -> None:
        cloud.settle()

    (done,) = redriven(cloud, PAYMENTS, on_progress=fail_at_once)
    assert (done.done, done.returned) == (12, 12)
    assert done.after
    assert done.after.count == 12


def test_only_dead_letters_with_the_selected_reason_are_redriven(cloud: Shop) -> None:
    nonsense(cloud, 11)
    cloud.send("payments", json.dumps({"detail-type": "Unheard"}))
    cloud.settle()
    (done,) = redriven(cloud, Selection(owner="payments", reason="KEYERROR: 'detail'"))
    assert (done.done, done.skipped) == (1, 11)
    assert done.after
    assert (done.after.count, done.after.in_flight) == (11, 0)


def test_a_reason_that_is_only_in_the_log_can_be_selected(cloud: Shop) -> None:
    nonsense(cloud, 1)
    cloud.break_("payments", with_=ConnectionError("answered 503 after 1.2 s"))
    cloud.place_order()
    cloud.settle()
    (done,) = redriven(cloud, Selection(reason="ConnectionError: answered 500"))
    assert (done.done, done.skipped) == (1, 1)


@pytest.mark.parametrize("of", ["dead letter", "event"])
def test_only_the_dead_letter_with_the_selected_id_is_redriven(cloud: Shop, of: str) -> None:
    cloud.break_("payments", with_=ConnectionError("down"))
    order, other = cloud.place_order(), cloud.place_order()
    cloud.settle()
    dead = next(each for each in queues(cloud, "dev") if each.count)
    (dead_letter,) = [
        each for each in browse(cloud, dead) if each.event and each.event.id == order.event_id
    ]
    name = dead_letter.id if of == "dead letter" else order.event_id[:10]
    (done,) = redriven(cloud, Selection(ids=(name,)))
    assert (done.done, done.skipped) == (1, 1)
    assert cloud.dead_letters("payments").causes == [other.event_id]


def test_at_most_the_limit_is_redriven(cloud: Shop) -> None:
    nonsense(cloud, 25)
    (done,) = redriven(cloud, PAYMENTS, limit=12)
    assert done.done == 12
    assert len(cloud.dead_letters("payments")) == 13


def test_at_most_the_rate_is_redriven_in_a_second(cloud: Shop) -> None:
    nonsense(cloud, 9)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", sleep)
        patch.setattr(time, "monotonic", lambda: sum(slept))
        redriven(cloud, PAYMENTS, rate=3)
    assert sum(slept) == pytest.approx(3)


def test_a_dry_run_counts_the_dead_letters_and_changes_nothing(cloud: Shop) -> None:
    nonsense(cloud, 25)
    (done,) = redriven(cloud, PAYMENTS, dry_run=True)
    assert done.done == 25
    assert done.after
    assert (done.after.count, done.after.in_flight) == (25, 0)
    assert cloud.waiting("payments") == 0


def test_a_missed_run_is_started_again_for_its_due_time(cloud: Shop) -> None:
    cloud.break_("accounts-close", with_=DynamoDBThrottled())
    cloud.run("accounts-close")
    cloud.settle()
    cloud.advance(days=3)
    cloud.mend("accounts-close")
    (done,) = redriven(cloud, Selection(owner="accounts-close"))
    assert done.done >= 1
    cloud.settle()
    due = {line["due_at"] for line in cloud.logs("accounts-close", "ran")}
    assert "2026-01-01T00:00:00+00:00" in due
    assert cloud.dead_letters("accounts-close") == ()


def test_the_failed_records_of_an_outbox_are_read_from_the_stream_and_published(
    cloud: Shop,
) -> None:
    cloud.break_("orders-outbox", with_=RefusesEntries())
    orders = [cloud.place_order() for _ in range(3)]
    cloud.advance(hours=13)
    assert cloud.published(OrderPlaced.detail_type()) == []
    cloud.mend("orders-outbox")
    (done,) = redriven(cloud, Selection(owner="orders-outbox"))
    assert done.failed == {}
    assert done.after
    assert done.after.count == 0
    cloud.settle()
    published = [event.data["order_id"] for event in cloud.published(OrderPlaced.detail_type())]
    assert sorted(published) == sorted(order.order_id for order in orders)
    assert all(cloud.order(order.order_id).status == "shipped" for order in orders)


def test_records_on_which_an_outbox_fails_again_stay_with_their_reason(cloud: Shop) -> None:
    cloud.break_("orders-outbox", with_=RefusesEntries())
    cloud.place_order()
    cloud.advance(hours=13)
    (done,) = redriven(cloud, Selection(owner="orders-outbox"))
    assert done.done == 0
    assert [why.partition(":")[0] for why in done.failed.values()] == ["it failed again"]
    assert done.after
    assert (done.after.count, done.after.in_flight) == (1, 0)


def test_a_queue_that_can_not_be_redriven_has_a_reason(cloud: Shop) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="records-dev-left-behind-dead-letters")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    (done,) = redriven(cloud, Selection())
    assert done.blocked == "no deployed resource uses it as its dead-letter queue"
    assert done.done == 0


def test_for_an_unknown_consumer_the_nearest_name_is_suggested(cloud: Shop) -> None:
    with pytest.raises(UserError, match="Did you mean 'payments'"):
        redriven(cloud, Selection(owner="payment"))
