"""Dead letters go back to where they belong; whatever goes wrong on the way, none is lost."""

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


def put_back(cloud: Shop, selection: Selection, **how: Any) -> list[DrainResult]:
    return redrive(cloud, "dev", selection, **how)


def nonsense(cloud: Shop, dead_letters: int, consumer: str = "payments") -> None:
    for number in range(dead_letters):
        cloud.send(consumer, f"nonsense {number}")
    cloud.settle()


def test_a_letter_goes_back_to_its_own_queue_and_is_handled_there(cloud: Shop) -> None:
    cloud.break_("payments", with_=ConnectionError("down"))
    order = cloud.place_order()
    cloud.settle()
    cloud.mend("payments")
    (done,) = put_back(cloud, PAYMENTS)
    assert (done.queue.count, done.done, done.failed) == (1, 1, {})
    assert done.after
    assert done.after.count == 0
    cloud.settle()
    assert cloud.handled("payments") == [order.event_id]
    assert cloud.order(order.order_id).status == "shipped"
    assert cloud.lost == []


def test_what_was_not_delivered_goes_back_as_well(cloud: Shop) -> None:
    cloud.break_("payments", with_=Undeliverable())
    order = cloud.place_order()
    cloud.advance(days=2)
    cloud.mend("payments")
    (done,) = put_back(cloud, PAYMENTS)
    assert (done.queue.kind, done.done) == ("delivery", 1)
    cloud.settle()
    assert cloud.handled("payments") == [order.event_id]


def test_what_an_ordered_consumer_was_not_delivered_takes_its_way_through_the_relay(
    cloud: Shop,
) -> None:
    cloud.break_("accounts-statement", with_=Undeliverable())
    for _ in range(12):
        cloud.place_order(customer_id="00007")
    cloud.advance(days=2)
    cloud.mend("accounts-statement")
    (done,) = put_back(cloud, Selection(owner="accounts-statement"))
    assert done.done == 12
    cloud.settle()
    assert len(cloud.handled("accounts-statement")) == 12
    assert cloud.lost == []


def test_an_ordered_consumers_letters_keep_their_group_and_their_order(cloud: Shop) -> None:
    cloud.break_("accounts-statement", with_=ConnectionError("down"))
    for customer in ("00007", "00008"):
        for _ in range(3):
            cloud.place_order(customer_id=customer)
    cloud.settle()
    cloud.mend("accounts-statement")
    died = cloud.dead_letters("accounts-statement").causes
    put_back(cloud, Selection(owner="accounts-statement"))
    groups = {message.group_id for message in cloud.queue("accounts-statement").messages()}
    assert groups == {"00007", "00008"}
    cloud.settle()
    assert sorted(cloud.handled("accounts-statement")) == sorted(died)
    lines = cloud.table("accounts-lines")
    assert len(lines) == 6


def test_an_ordered_consumers_letter_can_be_put_back_again_within_five_minutes(
    cloud: Shop,
) -> None:
    cloud.send("accounts-statement", "nonsense")
    cloud.settle()
    for _ in range(3):
        (done,) = put_back(cloud, Selection(owner="accounts-statement"))
        assert done.done == 1
        cloud.settle()
        assert len(cloud.dead_letters("accounts-statement")) == 1


def test_the_reason_of_an_earlier_death_stays_behind(cloud: Shop) -> None:
    nonsense(cloud, 1)
    put_back(cloud, PAYMENTS)
    (message,) = cloud.queue("payments").messages()
    assert message.message_attributes == {}


def test_an_attribute_that_is_the_messages_own_travels_along(cloud: Shop) -> None:
    own = {"StringValue": "yes", "DataType": "String"}
    stale = {"StringValue": "because", "DataType": "String"}
    dead = cloud.queue("payments").dead_letters
    assert dead is not None
    cloud.client("sqs").send_message(
        QueueUrl=dead.url, MessageBody="x", MessageAttributes={"Mine": own, "Reason": stale}
    )
    put_back(cloud, PAYMENTS)
    (message,) = cloud.queue("payments").messages()
    assert message.message_attributes.keys() == {"Mine"}


def test_a_letter_that_fails_again_comes_back_and_is_not_put_back_twice(
    cloud: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    nonsense(cloud, 12)

    def fail_at_once(so_far: DrainResult) -> None:
        cloud.settle()

    (done,) = put_back(cloud, PAYMENTS, on_progress=fail_at_once)
    assert (done.done, done.returned) == (12, 12)
    assert done.after
    assert done.after.count == 12


def test_only_those_that_died_for_that_reason_are_put_back(cloud: Shop) -> None:
    nonsense(cloud, 11)
    cloud.send("payments", json.dumps({"detail-type": "Unheard"}))
    cloud.settle()
    (done,) = put_back(cloud, Selection(owner="payments", reason="KEYERROR: 'detail'"))
    assert (done.done, done.skipped) == (1, 11)
    assert done.after
    assert (done.after.count, done.after.in_flight) == (11, 0)


def test_the_reason_may_be_one_that_only_the_log_knows(cloud: Shop) -> None:
    nonsense(cloud, 1)
    cloud.break_("payments", with_=ConnectionError("answered 503 after 1.2 s"))
    cloud.place_order()
    cloud.settle()
    (done,) = put_back(cloud, Selection(reason="ConnectionError: answered 500"))
    assert (done.done, done.skipped) == (1, 1)


@pytest.mark.parametrize("of", ["dead letter", "event"])
def test_only_the_letter_that_is_named_is_put_back(cloud: Shop, of: str) -> None:
    cloud.break_("payments", with_=ConnectionError("down"))
    order, other = cloud.place_order(), cloud.place_order()
    cloud.settle()
    dead = next(each for each in queues(cloud, "dev") if each.count)
    (dead_letter,) = [
        each for each in browse(cloud, dead) if each.event and each.event.id == order.event_id
    ]
    name = dead_letter.id if of == "dead letter" else order.event_id[:10]
    (done,) = put_back(cloud, Selection(ids=(name,)))
    assert (done.done, done.skipped) == (1, 1)
    assert cloud.dead_letters("payments").causes == [other.event_id]


def test_no_more_than_the_limit_are_put_back(cloud: Shop) -> None:
    nonsense(cloud, 25)
    (done,) = put_back(cloud, PAYMENTS, limit=12)
    assert done.done == 12
    assert len(cloud.dead_letters("payments")) == 13


def test_no_more_than_the_rate_are_put_back_in_a_second(cloud: Shop) -> None:
    nonsense(cloud, 9)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", sleep)
        patch.setattr(time, "monotonic", lambda: sum(slept))
        put_back(cloud, PAYMENTS, rate=3)
    assert sum(slept) == pytest.approx(3)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(cloud: Shop) -> None:
    nonsense(cloud, 25)
    (done,) = put_back(cloud, PAYMENTS, dry_run=True)
    assert done.done == 25
    assert done.after
    assert (done.after.count, done.after.in_flight) == (25, 0)
    assert cloud.waiting("payments") == 0


def test_a_missed_run_is_started_anew_for_the_time_when_it_was_due(cloud: Shop) -> None:
    cloud.break_("accounts-close", with_=DynamoDBThrottled())
    cloud.run("accounts-close")
    cloud.settle()
    cloud.advance(days=3)
    cloud.mend("accounts-close")
    (done,) = put_back(cloud, Selection(owner="accounts-close"))
    assert done.done >= 1
    cloud.settle()
    due = {line["due_at"] for line in cloud.logs("accounts-close", "ran")}
    assert "2026-01-01T00:00:00+00:00" in due
    assert cloud.dead_letters("accounts-close") == ()


def test_what_the_outbox_gave_up_is_read_from_the_stream_and_published(cloud: Shop) -> None:
    cloud.break_("orders-outbox", with_=RefusesEntries())
    orders = [cloud.place_order() for _ in range(3)]
    cloud.advance(hours=13)
    assert cloud.published(OrderPlaced.detail_type()) == []
    cloud.mend("orders-outbox")
    (done,) = put_back(cloud, Selection(owner="orders-outbox"))
    assert done.failed == {}
    assert done.after
    assert done.after.count == 0
    cloud.settle()
    published = [event.data["order_id"] for event in cloud.published(OrderPlaced.detail_type())]
    assert sorted(published) == sorted(order.order_id for order in orders)
    assert all(cloud.order(order.order_id).status == "shipped" for order in orders)


def test_what_the_outbox_fails_on_again_stays_and_says_why(cloud: Shop) -> None:
    cloud.break_("orders-outbox", with_=RefusesEntries())
    cloud.place_order()
    cloud.advance(hours=13)
    (done,) = put_back(cloud, Selection(owner="orders-outbox"))
    assert done.done == 0
    assert [why.partition(":")[0] for why in done.failed.values()] == ["it failed again"]
    assert done.after
    assert (done.after.count, done.after.in_flight) == (1, 0)


def test_a_queue_with_no_way_back_says_what_to_do_instead(cloud: Shop) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="records-dev-left-behind-dead-letters")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    (done,) = put_back(cloud, Selection())
    assert done.blocked == "no deployed resource uses it as its dead-letter queue"
    assert done.done == 0


def test_a_consumer_that_is_not_there_is_refused_with_who_is_near(cloud: Shop) -> None:
    with pytest.raises(UserError, match="Did you mean 'payments'"):
        put_back(cloud, Selection(owner="payment"))
