"""The bestsellers table: a counter for each record, and the chart of the best of them.

It also has, for each shard, the last sequence number that was counted, and a marker for every part
that was counted: Lambda may deliver a window again, and it must be counted once.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from pydantic import BaseModel, Field

from functions.bestsellers.tally import Count, Tally
from patchbay.messaging import full_jitter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

PURCHASE_WEIGHT = 10  # views
LENGTH = 100  # places of the chart
MARKED = 7 * 24 * 60 * 60  # seconds: longer than the stream keeps a record

# A transaction takes 100 items, of which one is the marker and one the shard's. A batch has to fit
# into one (stacks/bestsellers.py): it may be delivered again in halves, and must be counted whole.
RECORDS_AT_ONCE = 98
KEYS_AT_ONCE = 100  # BatchGetItem's own limit

ATTEMPTS = 8
BACKOFF_BASE = 0.1  # seconds
BACKOFF_CAP = 2.0  # seconds

_CHART = "chart"

_T = TypeVar("_T")


class Contended(RuntimeError):
    """Concurrent writes to the same items prevented every attempt."""


class Place(BaseModel):
    """A record's place in the chart."""

    record_id: str
    score: int


class Change(BaseModel):
    """A change of the first place, which is to be published."""

    number: int
    record_id: str
    previous: str | None
    score: int


class Chart(BaseModel):
    """The best records, the best first, and the changes that are still to be published."""

    version: int = 0
    changes: int = 0
    places: list[Place] = Field(default_factory=list)
    unpublished: list[Change] = Field(default_factory=list)

    def with_scores(self, scores: dict[str, int]) -> "Chart":
        """Return the chart with these records' new scores.

        Scores only grow, so no other record can overtake the last place. Of records with equal
        scores, the one that was ahead stays ahead.
        """
        best = {place.record_id: place.score for place in self.places}
        for record_id in sorted(scores):
            best[record_id] = max(scores[record_id], best.get(record_id, 0))
        order = sorted(best, key=best.__getitem__, reverse=True)[:LENGTH]
        places = [Place(record_id=each, score=best[each]) for each in order]
        chart = self.model_copy(update={"places": places, "version": self.version + 1})
        previous = self.places[0].record_id if self.places else None
        if not places or places[0].record_id == previous:
            return chart
        number = self.changes + 1
        change = Change(number=number, previous=previous, **places[0].model_dump())
        return chart.model_copy(
            update={"changes": number, "unpublished": [*self.unpublished, change]}
        )

    def without(self, published: Sequence[Change]) -> "Chart":
        """Return the chart without those changes, which have been published."""
        unpublished = [change for change in self.unpublished if change not in published]
        return self.model_copy(update={"unpublished": unpublished, "version": self.version + 1})


_dynamodb = boto3.client("dynamodb")
_TABLE = os.environ["BESTSELLERS_TABLE"]


def read() -> Chart:
    """Return the current chart."""
    return Chart.model_validate(_get(_CHART) or {})


def counted_until(shard: str) -> int:
    """Return the sequence number up to which a shard is counted, or -1."""
    item = _get(_shard(shard))
    return int(item["until"]) if item else -1


def add(shard: str, window: str, tally: Tally) -> None:
    """Add a part's counts to the records' counters, once, however often it is called.

    More records than a transaction takes are added in several, each with a marker of its own: a
    retry continues where the last attempt failed.
    """
    counted = {
        each: count for each, count in tally.counts.items() if count.views or count.purchases
    }
    parts = list(_batched(sorted(counted.items()), RECORDS_AT_ONCE))
    for number, part in enumerate(parts):
        marker = f"window/{shard}/{window}/{tally.first}/{number}"
        items = [_marker(marker), *(_increment(*each) for each in part)]
        if number == len(parts) - 1:
            items.append(_reached(shard, tally.last))
        _write(items)


def rank(record_ids: Iterable[str]) -> Chart:
    """Update the chart from those records' counters; returns the new one."""
    wanted = sorted(record_ids)
    for attempt in range(1, ATTEMPTS + 1):
        chart = read()
        new = chart.with_scores(_scores(wanted))
        if new.places == chart.places:
            return chart
        if _replace(chart, new):
            return new
        _wait(attempt)
    raise Contended("The chart was changed by other writers in each attempt.")


def mark_published(changes: Sequence[Change]) -> None:
    """Record that those changes have been published."""
    for attempt in range(1, ATTEMPTS + 1):
        chart = read()
        if not any(change in chart.unpublished for change in changes):
            return
        if _replace(chart, chart.without(changes)):
            return
        _wait(attempt)
    raise Contended("The chart was changed by other writers in each attempt.")


def _scores(record_ids: Sequence[str]) -> dict[str, int]:
    """Return the current weighted scores of those records."""
    scores: dict[str, int] = {}
    for ids in _batched(record_ids, KEYS_AT_ONCE):
        keys = [_serialized({"id": _record(each)}) for each in ids]
        for attempt in range(1, ATTEMPTS + 1):
            answer = _dynamodb.batch_get_item(
                RequestItems={_TABLE: {"Keys": keys, "ConsistentRead": True}}
            )
            for item in map(_plain, answer["Responses"].get(_TABLE, [])):
                score = item["views"] + PURCHASE_WEIGHT * item["purchases"]
                scores[item["record_id"]] = int(score)
            unprocessed = answer["UnprocessedKeys"]
            keys = list(unprocessed[_TABLE]["Keys"]) if _TABLE in unprocessed else []
            if not keys:
                break
            _wait(attempt)
        else:
            raise Contended(f"DynamoDB did not give the counters of {len(keys)} records.")
    return scores


def _write(items: Sequence["TransactWriteItemTypeDef"]) -> None:
    """Write all items, or none if the first one, the marker, exists already."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _dynamodb.transact_write_items(TransactItems=items)
            return
        except _dynamodb.exceptions.TransactionCanceledException as error:
            codes = [each.get("Code") for each in error.response["CancellationReasons"]]
            if codes[0] == "ConditionalCheckFailed":
                return
            # Another shard's window writes the same record at this moment: retry.
            if set(codes) - {"None", "TransactionConflict"}:
                raise
        _wait(attempt)
    raise Contended(f"{len(items)} counters were changed by other writers in each attempt.")


def _replace(old: Chart, new: Chart) -> bool:
    """Write the chart, unless it was written since it was read."""
    try:
        _dynamodb.put_item(
            TableName=_TABLE,
            Item=_serialized({"id": _CHART, **new.model_dump()}),
            ConditionExpression="attribute_not_exists(id) OR version = :version",
            ExpressionAttributeValues=_serialized({":version": old.version}),
        )
    except _dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def _marker(id: str) -> "TransactWriteItemTypeDef":
    return {
        "Put": {
            "TableName": _TABLE,
            "Item": _serialized({"id": id, "expires": int(time.time()) + MARKED}),
            "ConditionExpression": "attribute_not_exists(id)",
        }
    }


def _increment(record_id: str, count: Count) -> "TransactWriteItemTypeDef":
    return {
        "Update": {
            "TableName": _TABLE,
            "Key": _serialized({"id": _record(record_id)}),
            "UpdateExpression": "SET record_id = :record ADD #views :views, purchases :purchases",
            "ExpressionAttributeNames": {"#views": "views"},
            "ExpressionAttributeValues": _serialized(
                {":record": record_id, ":views": count.views, ":purchases": count.purchases}
            ),
        }
    }


def _reached(shard: str, sequence_number: str) -> "TransactWriteItemTypeDef":
    return {
        "Put": {
            "TableName": _TABLE,
            "Item": _serialized({"id": _shard(shard), "until": sequence_number}),
        }
    }


def _get(id: str) -> dict[str, Any] | None:
    answer = _dynamodb.get_item(TableName=_TABLE, Key=_serialized({"id": id}), ConsistentRead=True)
    return _plain(answer["Item"]) if "Item" in answer else None


def _record(record_id: str) -> str:
    return f"record/{record_id}"


def _shard(shard: str) -> str:
    return f"shard/{shard}"


def _serialized(item: dict[str, Any]) -> dict[str, Any]:
    serializer = TypeSerializer()
    return {key: serializer.serialize(value) for key, value in item.items()}


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    deserializer = TypeDeserializer()
    return {key: deserializer.deserialize(value) for key, value in item.items()}


def _batched(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """Yield the items in batches, as itertools.batched does from Python 3.12 on."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _wait(attempt: int) -> None:
    time.sleep(full_jitter(attempt, base=BACKOFF_BASE, cap=BACKOFF_CAP))
