"""Events as they pass: all of them, once each, and none that can do harm on a terminal."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from patchbay.errors import UserError
from patchbay.operations.journeys.journal import Entry
from patchbay.operations.journeys.tail import Filter, Tail, as_json, render
from tests.shop import OF_AN_ORDER, Shop, own

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
EVENT = Entry("1", "OrderPlaced", "shop.orders", START, None, "order-1", {"order_id": "order-1"})
HOSTILE = "[red]\x1b[2J\x1b]0;owned\x07\r\n\u202e"


def types(events: list[Entry]) -> list[str]:
    return [event.type for event in events]


def test_what_passes_is_shown_once_in_its_order_and_what_was_before_is_not(cloud: Shop) -> None:
    cloud.place_order()
    cloud.settle()
    tail = Tail(cloud, "dev")
    assert tail.read() == []
    order = cloud.place_order()
    cloud.settle()
    seen = tail.read()
    assert own(types(seen)) == list(OF_AN_ORDER)
    assert {event.correlation_id for event in seen} == {order.order_id}
    assert tail.read() == []


def test_an_event_that_the_journal_is_given_again_is_not_shown_again(cloud: Shop) -> None:
    tail = Tail(cloud, "dev")
    order = cloud.place_order()
    cloud.settle()
    tail.read()
    detail = {
        "metadata": {
            "id": order.event_id,
            "version": 1,
            "correlation_id": order.order_id,
            "published_at": "2026-01-01T00:00:00Z",
        },
        "data": {"order_id": order.order_id, "customer_id": "1", "items": 1, "amount": 1},
    }
    cloud.advance(hours=1)
    cloud.put("shop.orders", "OrderPlaced", detail)
    cloud.settle()
    assert tail.read() == []


def test_a_stage_that_is_not_there_is_named(cloud: Shop) -> None:
    with pytest.raises(UserError, match="is the stage 'prod' deployed in this account"):
        Tail(cloud, "prod")


@pytest.mark.parametrize(
    ("wanted", "is_shown"),
    [
        (Filter(), True),
        (Filter(["OrderPlaced", "PaymentTaken"]), True),
        (Filter(["PaymentTaken"]), False),
        (Filter(id="order-1"), True),
        (Filter(id="order-2"), False),
        (Filter(["PaymentTaken"], "order-1"), False),
    ],
)
def test_only_what_is_wanted_is_shown(wanted: Filter, is_shown: bool) -> None:
    assert (EVENT in wanted) is is_shown


def test_an_order_is_found_in_another_journey_too() -> None:
    assert replace(EVENT, correlation_id="a-batch") in Filter(id="order-1")


class Streams:
    """A stream whose first shard ends, and has a child: as DynamoDB does every few hours."""

    class exceptions:  # noqa: N801 - boto3's name
        class LimitExceededException(Exception): ...

        class ExpiredIteratorException(Exception): ...

        class TrimmedDataAccessException(Exception): ...

        class ResourceNotFoundException(Exception): ...

    def __init__(self) -> None:
        self.records: dict[str, list[Any]] = {"old": [], "first": []}
        self.ended = {"old"}
        self.trouble: list[type[Exception]] = []

    def client(self, service: str, /) -> Any:
        return self

    def describe_table(self, TableName: str) -> Any:  # noqa: N803 - boto3's name
        return {"Table": {"LatestStreamArn": "the stream"}}

    def describe_stream(self, StreamArn: str, **start: str) -> Any:  # noqa: N803 - boto3's name
        names = sorted(self.records)
        first = names.index(start["ExclusiveStartShardId"]) + 1 if start else 0
        name = names[first]
        ends = {"EndingSequenceNumber": "9"} if name in self.ended else {}
        found: dict[str, Any] = {"Shards": [{"ShardId": name, "SequenceNumberRange": ends}]}
        if name != names[-1]:  # a page has one shard
            found["LastEvaluatedShardId"] = name
        return {"StreamDescription": found}

    def get_shard_iterator(self, **asked: str) -> Any:
        shard = asked["ShardId"]
        at = {
            "LATEST": len(self.records[shard]),
            "TRIM_HORIZON": 0,
            "AFTER_SEQUENCE_NUMBER": int(asked.get("SequenceNumber", 0)) + 1,
        }
        return {"ShardIterator": f"{shard} {at[asked['ShardIteratorType']]}"}

    def get_records(self, ShardIterator: str) -> Any:  # noqa: N803 - boto3's name
        if self.trouble:
            raise self.trouble.pop()
        shard, at = ShardIterator.split()
        found = self.records[shard][int(at) :]
        answer: dict[str, Any] = {"Records": found}
        if shard not in self.ended:
            answer["NextShardIterator"] = f"{shard} {int(at) + len(found)}"
        return answer

    def put(self, shard: str, type: str) -> None:
        item = {
            "event_id": {"S": type},
            "type": {"S": type},
            "source": {"S": "shop.orders"},
            "published_at": {"S": START.isoformat()},
            "correlation_id": {"S": "order-1"},
        }
        there = self.records.setdefault(shard, [])
        change = {"SequenceNumber": str(len(there)), "NewImage": item}
        there.append({"eventName": "INSERT", "dynamodb": change})


def test_a_shard_that_ends_is_followed_by_its_child_from_its_beginning() -> None:
    streams = Streams()
    streams.put("old", "Past")
    tail = Tail(streams, "dev")
    streams.put("first", "One")
    streams.put("second", "Two")
    streams.ended.add("first")
    assert types(tail.read()) == ["One", "Two"]
    streams.put("second", "Three")
    assert types(tail.read()) == ["Three"]


@pytest.mark.parametrize(
    "trouble",
    [Streams.exceptions.LimitExceededException, Streams.exceptions.ExpiredIteratorException],
)
def test_nothing_is_left_out_where_it_was_throttled_or_has_slept(trouble: type[Exception]) -> None:
    streams = Streams()
    tail = Tail(streams, "dev")
    streams.put("first", "One")
    assert types(tail.read()) == ["One"]
    streams.put("first", "Two")
    streams.trouble = [trouble]
    assert types(tail.read() + tail.read()) == ["Two"]


def test_a_line_says_what_passed_and_when_and_of_which_order() -> None:
    placed = replace(EVENT, data={"order_id": "order-1", "items": 2, "amount": 11.77, "tags": [1]})
    line = render(placed).plain
    assert line.startswith("09:00:00.000  OrderPlaced ")
    assert line.endswith("shop.orders       items=2 amount=11.77 tags=[1]")
    assert line.count("order-1") == 1


@pytest.mark.parametrize(
    "data", [{HOSTILE: HOSTILE}, {"text": "x" * 2**20}, {str(n): n for n in range(10**5)}, None]
)
def test_a_hostile_event_is_one_short_line_that_does_nothing(data: Any) -> None:
    line = render(replace(EVENT, type=HOSTILE, source=HOSTILE, correlation_id=HOSTILE, data=data))
    assert line.plain.isprintable()
    assert len(line.plain) < 1200
    assert "[red]" in line.plain


def test_a_deep_event_is_shown_without_its_depth() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    event = replace(EVENT, data={"deep": deep})
    assert render(event).plain.endswith("deep=[1]")
    assert "\n" not in as_json(event)


def test_for_machines_it_is_a_line_of_json() -> None:
    line = as_json(replace(EVENT, type=HOSTILE))
    assert "\n" not in line
    assert line.isprintable()
    assert json.loads(line)["type"] == HOSTILE
