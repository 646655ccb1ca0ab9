"""The bestsellers: each record of the storefront's stream is counted once, under any failure."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import boto3
import pytest

from patchbay.testkit.cloud import Cloud
from patchbay.testkit.faults import CrashesAfterEffect, DynamoDBThrottled, RefusesEntries, Throttled
from patchbay.testkit.reading.intrinsics import REGION
from tests.shop import Shop


def look_at(cloud: Cloud, *records: str, kind: str = "view") -> None:
    at = cloud.now.isoformat()
    body = [{"record_id": record, "kind": kind, "at": at} for record in records]
    answer = cloud.request("POST", "/views", body)
    assert (answer.status, answer.body) == (202, {"taken": len(records)})


def put_on_stream(cloud: Cloud, data: bytes) -> None:
    """Put something there past the storefront, which would not take it."""
    boto3.client("kinesis", region_name=REGION).put_record(
        StreamName=f"{cloud.prefix}storefront", Data=data, PartitionKey="a key"
    )


def views(cloud: Cloud) -> dict[str, Any]:
    return {
        item["record_id"]: item["views"]
        for item in cloud.table("bestsellers")
        if "record_id" in item
    }


def firsts(cloud: Cloud) -> list[Any]:
    """Return the records that were published as first, once for each event."""
    ids: dict[str, Any] = {
        event.id: event.data["record_id"] for event in cloud.published("BestsellerChanged")
    }
    return list(ids.values())


def test_a_viewed_record_is_in_the_chart_a_minute_later(cloud: Shop) -> None:
    look_at(cloud, "a", "a", "b")
    cloud.advance(seconds=30)
    look_at(cloud, "b", "b", kind="view")
    cloud.settle()
    assert cloud.request("GET", "/bestsellers").body == {
        "bestsellers": [{"record_id": "b", "score": 3}, {"record_id": "a", "score": 2}]
    }
    assert firsts(cloud) == ["b"]
    look_at(cloud, "a", kind="purchase")
    cloud.settle()
    assert firsts(cloud) == ["b", "a"]
    latest = cloud.published("BestsellerChanged")[-1].data
    assert latest == {"record_id": "a", "previous": "b", "score": 12}


@pytest.mark.parametrize(
    "fault", [RuntimeError("broken"), Throttled(), DynamoDBThrottled(), RefusesEntries("Denied"),
              CrashesAfterEffect()]
)  # fmt: skip
def test_while_bestsellers_fails_no_other_service_is_affected_and_later_all_is_counted_once(
    fault: Any, cloud: Shop
) -> None:
    cloud.break_("bestsellers", with_=fault, lasting=timedelta(minutes=5))
    orders, looked_at = [], Counter[str]()
    for minute in range(8):
        orders.append(cloud.place_order(amount="20.00"))
        records = [f"r{(minute * each) % 7}" for each in range(8)]
        look_at(cloud, *records)
        looked_at.update(records)
        cloud.advance(minutes=1)
        if minute == 4:
            statuses = {cloud.order(order.order_id).status for order in orders[:-1]}
            assert statuses <= {"paid", "shipped"}
    cloud.settle()
    assert views(cloud) == looked_at
    assert len(cloud.dead_letters("bestsellers")) == 0
    assert cloud.lost == []
    for consumer in cloud.consumers:
        assert len(cloud.dead_letters(consumer)) == 0, consumer
    (best, _), *_ = looked_at.most_common()
    assert cloud.request("GET", "/bestsellers").body["bestsellers"][0]["record_id"] == best
    assert firsts(cloud)[-1] == best


def test_a_crash_after_counting_neither_counts_nor_publishes_twice(
    cloud: Shop,
) -> None:
    look_at(cloud, "a", "a", "b")
    end = timedelta(seconds=59)
    cloud.break_("bestsellers", with_=CrashesAfterEffect(), after=end, times=3)
    cloud.settle()
    assert views(cloud) == {"a": 2, "b": 1}
    assert firsts(cloud) == ["a"]


@pytest.mark.parametrize("data", [b"no json", b'{"record_id": "a", "kind": "theft"}'])
def test_only_a_poison_record_is_given_up_and_the_others_are_counted_once(
    data: bytes, cloud: Shop
) -> None:
    look_at(cloud, "a", "b")
    put_on_stream(cloud, data)
    look_at(cloud, "a", "c")
    put_on_stream(cloud, data)
    put_on_stream(cloud, data)
    look_at(cloud, "d")
    cloud.settle()
    assert views(cloud) == {"a": 2, "b": 1, "c": 1, "d": 1}
    dead_letters = [
        json.loads(dead_letter.body) for dead_letter in cloud.dead_letters("bestsellers")
    ]
    assert [dead_letter["KinesisBatchInfo"]["batchSize"] for dead_letter in dead_letters] == [
        1,
        1,
        1,
    ]
    assert (
        len(
            {dead_letter["KinesisBatchInfo"]["startSequenceNumber"] for dead_letter in dead_letters}
        )
        == 3
    )
    assert cloud.lost == []
