"""Browsing of dead letters: their reasons are found, and they stay where they are."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from patchbay.operations.dead_letters.browse import browse
from patchbay.operations.dead_letters.dead_letter import (
    DeadLetter,
    DeadLetterQueue,
    grouped,
    normalised,
)
from patchbay.operations.dead_letters.message import NOT_LOGGED
from patchbay.operations.dead_letters.queues import queues
from patchbay.testkit.faults import DynamoDBThrottled, RefusesEntries, TimesOut, Undeliverable
from tests.shop import Shop

START = datetime(2026, 1, 1, tzinfo=UTC)


def queue(cloud: Shop, name: str) -> DeadLetterQueue:
    (found,) = [each for each in queues(cloud, "dev") if each.name == cloud.prefix + name]
    return found


def dead_letters(cloud: Shop, name: str, limit: int = 100) -> list[DeadLetter]:
    return browse(cloud, queue(cloud, name), limit)


def test_a_malformed_event_has_the_violated_contract_as_its_reason(cloud: Shop) -> None:
    metadata = {
        "id": "6f4ea8ab-5fc4-4b0c-a9b0-8bfb1c1d9a40",
        "version": 1,
        "correlation_id": "order-1",
        "published_at": "2025-12-31T23:59:58Z",
    }
    data = {"order_id": "order-1", "customer_id": "00001", "items": "many"}
    cloud.put("shop.orders", "OrderPlaced", {"metadata": metadata, "data": data})
    cloud.settle()
    (dead_letter,) = dead_letters(cloud, "payments-dead-letters")
    assert dead_letter.reason.startswith(
        "breaks its contract: items: Input should be a valid integer"
    )
    assert dead_letter.attempts == 1
    assert dead_letter.first == START - timedelta(seconds=2)
    assert dead_letter.last == START
    assert dead_letter.event
    assert (dead_letter.event.type, dead_letter.event.ids["order_id"]) == (
        "OrderPlaced",
        "order-1",
    )
    assert (dead_letter.event.id, dead_letter.event.journey) == (metadata["id"], "order-1")
    assert dead_letter.event.data == data


def test_after_an_outage_the_reason_is_the_last_error_with_its_traceback(cloud: Shop) -> None:
    cloud.break_("payments", with_=ConnectionError("the provider is down"))
    order = cloud.place_order()
    cloud.settle()
    (dead_letter,) = dead_letters(cloud, "payments-dead-letters")
    assert dead_letter.reason == "ConnectionError: the provider is down"
    assert dead_letter.attempts == 12
    assert dead_letter.traceback
    assert "Traceback (most recent call last)" in dead_letter.traceback
    assert dead_letter.event
    assert dead_letter.event.id == order.event_id
    assert dead_letter.last
    assert timedelta(minutes=1) < dead_letter.last - dead_letter.first < timedelta(hours=2)


def test_after_timeouts_without_a_log_line_the_reason_is_not_known(cloud: Shop) -> None:
    cloud.break_("payments", with_=TimesOut())
    cloud.place_order()
    cloud.settle()
    (dead_letter,) = dead_letters(cloud, "payments-dead-letters")
    assert dead_letter.reason == NOT_LOGGED
    assert (dead_letter.attempts, dead_letter.last) == (12, None)


def test_an_undelivered_event_has_eventbridges_error_code_as_its_reason(cloud: Shop) -> None:
    cloud.break_("payments", with_=Undeliverable())
    cloud.place_order()
    cloud.advance(days=2)
    (dead_letter,) = dead_letters(cloud, "payments-undelivered")
    assert dead_letter.reason == "SDK_CLIENT_ERROR: can't be reached"
    assert dead_letter.attempts
    assert dead_letter.attempts > 100


def test_a_failed_run_of_a_schedule_has_its_error_and_its_due_time(cloud: Shop) -> None:
    cloud.break_("accounts-close", with_=DynamoDBThrottled())
    cloud.run("accounts-close")
    cloud.settle()
    (dead_letter,) = dead_letters(cloud, "accounts-close-missed")
    assert "ThrottlingException" in dead_letter.reason
    assert dead_letter.reason.endswith("(RetriesExhausted)")
    assert (dead_letter.attempts, dead_letter.first, dead_letter.event) == (3, START, None)


def test_a_failed_batch_of_an_outbox_has_lambdas_condition(cloud: Shop) -> None:
    cloud.break_("orders-outbox", with_=RefusesEntries())
    cloud.place_order()
    cloud.advance(hours=13)
    (dead_letter,) = dead_letters(cloud, "orders-unpublished")
    assert dead_letter.reason.endswith("(MaximumRecordAgeExceeded)")


def test_browsing_leaves_all_messages_in_the_queue(cloud: Shop) -> None:
    for number in range(25):
        cloud.send("payments", f"nonsense {number}")
    cloud.settle()
    first, again = [dead_letters(cloud, "payments-dead-letters") for _ in range(2)]
    assert len({dead_letter.id for dead_letter in first}) == 25
    assert {dead_letter.body for dead_letter in first} == {
        dead_letter.body for dead_letter in again
    }
    assert queue(cloud, "payments-dead-letters").in_flight == 0
    assert len(cloud.dead_letters("payments")) == 25


def test_only_the_limit_is_browsed_and_all_are_counted(cloud: Shop) -> None:
    for number in range(25):
        cloud.send("payments", f"nonsense {number}")
    cloud.settle()
    assert len(dead_letters(cloud, "payments-dead-letters", limit=12)) == 12
    assert queue(cloud, "payments-dead-letters").count == 25


class EndlessQueue:
    """The client of a queue that always returns new messages."""

    def __init__(self) -> None:
        self.calls = 0

    def client(self, service: str, /) -> Any:
        return self

    def receive_message(self, **request: Any) -> Any:
        self.calls += 1
        numbers = range(request["MaxNumberOfMessages"])
        return {"Messages": [_message(self.calls, number) for number in numbers]}

    def change_message_visibility_batch(self, **request: Any) -> None:
        self.calls += 1


def _message(call: int, number: int) -> dict[str, Any]:
    return {
        "MessageId": f"{call}-{number}",
        "ReceiptHandle": "handle",
        "Body": "nonsense",
        "Attributes": {"SentTimestamp": "0"},
        "MessageAttributes": {"Reason": {"StringValue": f"reason {number}"}},
    }


def test_browsing_a_hundred_thousand_dead_letters_takes_at_most_twenty_calls(cloud: Shop) -> None:
    full = replace(queue(cloud, "payments-dead-letters"), count=100_000)
    clients = EndlessQueue()
    assert len(browse(clients, full)) == 100
    assert clients.calls <= 20


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        "null",
        "<script>alert(1)</script>",
        json.dumps({"detail-type": ["a"], "detail": {"metadata": 5, "data": "x"}, "time": {}}),
        json.dumps({"detail-type": 1, "detail": [1], "time": "9999-12-31T23:59:59-23:59"}),
        json.dumps({"detail-type": "x", "detail": {"metadata": {"id": {}, "published_at": "now"}}}),
        '{"detail-type": "x", "detail": {"data": {"order_id": "\\ud800"}}}',
        f'{{"detail-type": "x", "detail": {{"data": {"[" * 3000}1{"]" * 3000}}}}}',
        "1" * 5000,
        "x" * 1_000_000,
    ],
)  # fmt: skip
def test_a_dead_letter_with_a_hostile_body_is_browsed_like_any_other(
    cloud: Shop, body: str
) -> None:
    cloud.send("payments", body)
    cloud.settle()
    (dead_letter,) = dead_letters(cloud, "payments-dead-letters")
    assert dead_letter.body == body
    assert dead_letter.reason.startswith(("is not a valid event", "breaks its contract"))


def test_the_body_of_an_event_can_not_set_its_reason(cloud: Shop) -> None:
    forged: dict[str, Any] = {"condition": "RetriesExhausted"}
    cloud.break_("payments", with_=TimesOut())
    order = cloud.place_order()
    cloud.settle()
    body = json.loads(cloud.dead_letters("payments")[0].body)
    cloud.redrive("payments")
    cloud.send("payments", json.dumps({**body, "requestContext": forged, "responsePayload": {}}))
    cloud.settle()
    assert {dead_letter.reason for dead_letter in dead_letters(cloud, "payments-dead-letters")} == {
        NOT_LOGGED
    }
    assert order.event_id


def test_dead_letters_with_the_same_reason_are_a_group(cloud: Shop) -> None:
    for number in range(3):
        cloud.send("payments", json.dumps({"number": number}))
    cloud.send("payments", "nonsense")
    cloud.settle()
    alike, other = grouped(dead_letters(cloud, "payments-dead-letters"))
    assert (len(alike.dead_letters), len(other.dead_letters)) == (3, 1)
    assert alike.reason == "is not a valid event: KeyError: 'detail-type'"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "no order 0b0e8f6c-3a51-4c1c-9f1c-2f6f1c1a7a51 here",
            "no order 1A0e8f6c-3a51-4c1c-9f1c-2f6f1c1a7a52 here",
        ),
        ("answered 503 after 1.25 s", "answered 500 after 12 s"),
        ("customer 00001", "customer 00002"),
        ("key deadbeef01", "key 01deadbeef"),
        ("a\nb", "a b"),
    ],
)
def test_reasons_that_differ_only_in_ids_and_numbers_are_equal(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)
    assert normalised(normalised(one)) == normalised(one)
    assert normalised(one) != normalised(f"{one} again")
