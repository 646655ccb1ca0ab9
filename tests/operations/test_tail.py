"""The tail of events on the bus: each is shown once, and safe for a terminal."""

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


def test_each_event_after_the_start_is_shown_once_and_in_order(cloud: Shop) -> None:
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


def test_an_event_that_is_delivered_to_the_journal_again_is_not_shown_again(cloud: Shop) -> None:
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


def test_a_stage_that_is_not_deployed_is_named(cloud: Shop) -> None:
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
def test_only_events_that_match_the_filter_are_shown(wanted: Filter, is_shown: bool) -> None:
    assert (EVENT in wanted) is is_shown


def test_an_id_in_the_data_matches_in_another_journey_too() -> None:
    assert replace(EVENT, correlation_id="a-batch") in Filter(id="order-1")


class Streams:
    """A stream whose first shard ends and gets a child, as in DynamoDB every few hours."""

    class exceptions:  # noqa: N801 - boto3's name
        class LimitExceededException(Exception): ...

        class ExpiredIteratorException(Exception): ...

        class TrimmedDataAccessException(Exception): ...

        class ResourceNotFoundException(Exception): ...

    def __init__(self) -> None:
        self.records: dict[str, list[Any]] = {"old": [], "first": []}
        self.ended = {"old"}
        self.errors: list[type[Exception]] = []

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

    def get_shard_iterator(self, **request: str) -> Any:
        shard = request["ShardId"]
        at = {
            "LATEST": len(self.records[shard]),
            "TRIM_HORIZON": 0,
            "AFTER_SEQUENCE_NUMBER": int(request.get("SequenceNumber", 0)) + 1,
        }
        return {"ShardIterator": f"{shard} {at[request['ShardIteratorType']]}"}

    def get_records(self, ShardIterator: str) -> Any:  # noqa: N803 - boto3's name
        if self.errors:
            raise self.errors.pop()
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
        records = self.records.setdefault(shard, [])
        change = {"SequenceNumber": str(len(records)), "NewImage": item}
        records.append({"eventName": "INSERT", "dynamodb": change})


def test_after_a_shard_ends_its_child_is_read_from_the_beginning() -> None:
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
    "error",
    [Streams.exceptions.LimitExceededException, Streams.exceptions.ExpiredIteratorException],
)
def test_no_event_is_lost_after_throttling_or_an_expired_iterator(error: type[Exception]) -> None:
    streams = Streams()
    tail = Tail(streams, "dev")
    streams.put("first", "One")
    assert types(tail.read()) == ["One"]
    streams.put("first", "Two")
    streams.errors = [error]
    assert types(tail.read() + tail.read()) == ["Two"]


def test_a_line_has_the_time_the_type_the_correlation_id_and_the_fields() -> None:
    placed = replace(EVENT, data={"order_id": "order-1", "items": 2, "amount": 11.77, "tags": [1]})
    line = render(placed).plain
    assert line.startswith("09:00:00.000  OrderPlaced ")
    assert line.endswith("shop.orders       items=2 amount=11.77 tags=[1]")
    assert line.count("order-1") == 1


@pytest.mark.parametrize(
    "data", [{HOSTILE: HOSTILE}, {"text": "x" * 2**20}, {str(n): n for n in range(10**5)}, None]
)
def test_a_hostile_event_is_one_short_printable_line(data: Any) -> None:
    line = render(replace(EVENT, type=HOSTILE, source=HOSTILE, correlation_id=HOSTILE, data=data))
    assert line.plain.isprintable()
    assert len(line.plain) < 1200
    assert "[red]" in line.plain


def test_nested_data_is_cut() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    event = replace(EVENT, data={"deep": deep})
    assert render(event).plain.endswith("deep=[1]")
    assert "\n" not in as_json(event)


def test_as_json_an_event_is_one_line() -> None:
    line = as_json(replace(EVENT, type=HOSTILE))
    assert "\n" not in line
    assert line.isprintable()
    assert json.loads(line)["type"] == HOSTILE
