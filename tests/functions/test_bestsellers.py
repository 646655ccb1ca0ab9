"""The bestsellers: each interaction is counted once, and a new first place is published."""

import base64
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.bestsellers import api, chart, handler
from functions.bestsellers.tally import Count, Tally
from patchbay.testkit.aws.network import http_event
from tests.patchbay.messaging.fixtures import Published

SHARD = "shardId-000000000000"
WINDOW = {"start": "2026-11-23T12:00:00Z", "end": "2026-11-23T12:01:00Z"}

Record = dict[str, Any]


@pytest.fixture(autouse=True)
def _bus(published: Published) -> None:
    """Record the published events."""


def record(number: int, record_id: str, kind: str = "view", data: bytes | None = None) -> Record:
    interaction = {"record_id": record_id, "kind": kind, "at": "2026-11-23T12:00:00Z"}
    content = json.dumps(interaction).encode() if data is None else data
    return {
        "eventID": f"{SHARD}:{number}",
        "kinesis": {"sequenceNumber": str(number), "data": base64.b64encode(content).decode()},
    }


def poison(number: int) -> Record:
    return record(number, "", data=b'{"record_id": "a"}')


def invoke(*records: Record, state: Any = None, final: bool = False, **more: Any) -> Any:
    """Hand over a batch of a window, or its end."""
    event = {
        "Records": list(records),
        "window": WINDOW,
        "state": state or {},
        "shardId": SHARD,
        "isFinalInvokeForWindow": final,
        "isWindowTerminatedEarly": False,
    } | more
    return handler.handler({k: v for k, v in event.items() if v is not None}, LambdaContext())


def without_window(*records: Record) -> Any:
    return handler.handler({"Records": list(records)}, LambdaContext())


def counters() -> dict[str, tuple[int, int]]:
    items = boto3.resource("dynamodb").Table("bestsellers").scan()["Items"]
    return {
        str(item["record_id"]): (int(item["views"]), int(item["purchases"]))  # type: ignore[arg-type]
        for item in items
        if "record_id" in item
    }


def first_places(published: Published) -> list[tuple[Any, Any, Any]]:
    return [
        (event.data["record_id"], event.data["previous"], event.data["score"])
        for event in published()
    ]


def test_a_window_is_counted_when_it_ends_and_not_before() -> None:
    first = invoke(record(1, "a"), record(2, "b", "purchase"))
    second = invoke(record(3, "a"), state=first["state"])
    assert counters() == {}
    assert invoke(state=second["state"], final=True) == {"state": {}, "batchItemFailures": []}
    assert counters() == {"a": (2, 0), "b": (0, 1)}


def test_a_purchase_weighs_ten_views(published: Published) -> None:
    state = invoke(*(record(n, "a") for n in range(1, 10)), record(10, "b", "purchase"))["state"]
    invoke(state=state, final=True)
    assert [(place.record_id, place.score) for place in chart.read().places] == [
        ("b", 10),
        ("a", 9),
    ]
    assert first_places(published) == [("b", None, 10)]


def test_a_window_that_is_retried_is_counted_once_and_published_with_the_same_id(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = invoke(record(1, "a"))["state"]
    mark_published = chart.mark_published
    monkeypatch.setattr(chart, "mark_published", _raise)
    with pytest.raises(RuntimeError):
        invoke(state=state, final=True)
    monkeypatch.setattr(chart, "mark_published", mark_published)
    invoke(state=state, final=True)
    invoke(state=state, final=True)
    assert counters() == {"a": (1, 0)}
    assert len({event.metadata.id for event in published()}) == 1
    assert len(published()) == 2


@pytest.mark.parametrize("broken", ["rank", "mark_published"])
def test_a_failure_after_counting_is_recovered_by_the_retry(
    broken: str, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = [record(1, "a"), record(2, "b", "purchase")]
    with monkeypatch.context() as patched:
        patched.setattr(chart, broken, _raise)
        with pytest.raises(RuntimeError):
            without_window(*batch)
    # Lambda halves what failed.
    without_window(batch[0])
    without_window(batch[1])
    assert counters() == {"a": (1, 0), "b": (0, 1)}
    assert [place.record_id for place in chart.read().places] == ["b", "a"]
    assert first_places(published)[-1][0] == "b"
    assert chart.read().unpublished == []


def test_more_records_than_a_transaction_takes_are_counted_once_wherever_it_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chart, "RECORDS_AT_ONCE", 4)
    monkeypatch.setattr(chart, "LENGTH", 7)
    state = invoke(*(record(n + 1, f"r{n}") for n in range(10)))["state"]
    with monkeypatch.context() as patched:
        patched.setattr(chart, "_write", _failing_at(2, chart._write))
        with pytest.raises(RuntimeError):
            invoke(state=state, final=True)
    assert len(counters()) == 4
    invoke(state=state, final=True)
    assert counters() == {f"r{n}": (1, 0) for n in range(10)}
    assert len(chart.read().places) == 7


def test_a_large_state_is_counted_before_its_window_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handler, "MAX_RECORDS", 2)
    state = invoke(record(1, "a"), record(2, "b"))["state"]
    state = invoke(record(3, "c"), state=state)["state"]
    assert counters() == {"a": (1, 0), "b": (1, 0)}
    assert list(state["counts"]) == ["c"]
    invoke(state=state, final=True)
    assert counters() == {"a": (1, 0), "b": (1, 0), "c": (1, 0)}


def test_the_largest_state_is_within_lambdas_limit() -> None:
    tally = Tally(first="4" * 60, last="4" * 60)
    for number in range(handler.MAX_RECORDS + 100):
        tally.counts[f"{number:064}"] = Count(views=10**9, purchases=10**9)
    assert len(json.dumps(tally.model_dump())) < 1024 * 1024


def test_records_before_a_poison_record_are_counted_and_lambda_retries_from_it() -> None:
    carried = invoke(record(1, "a"))["state"]
    answer = invoke(record(2, "b"), poison(3), record(4, "c"), state=carried)
    assert answer == {"state": {}, "batchItemFailures": [{"itemIdentifier": "3"}]}
    assert counters() == {"a": (1, 0), "b": (1, 0)}


@pytest.mark.parametrize("keeps_state", [True, False])
def test_each_record_counts_once_whether_or_not_lambda_keeps_the_state_of_a_partial_failure(
    keeps_state: bool,
) -> None:
    carried = invoke(record(1, "a"))["state"]
    answer = invoke(record(2, "b"), poison(3), record(4, "c"), state=carried)
    state = answer["state"] if keeps_state else carried
    state = invoke(record(4, "c"), state=state)["state"]
    invoke(state=state, final=True)
    assert counters() == {"a": (1, 0), "b": (1, 0), "c": (1, 0)}


def test_a_poison_record_at_the_start_fails_the_batch_so_that_it_is_bisected() -> None:
    with pytest.raises(handler.PoisonRecord, match="Record 1 "):
        invoke(poison(1), record(2, "b"))
    assert invoke(poison(1))["batchItemFailures"] == [{"itemIdentifier": "1"}]


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b'{"kind": "view"}'])
def test_a_record_that_is_not_an_interaction_is_poison(data: bytes) -> None:
    answer = invoke(record(1, "a", data=data))
    assert answer["batchItemFailures"] == [{"itemIdentifier": "1"}]


def test_of_records_with_equal_scores_the_first_stays_first(published: Published) -> None:
    without_window(record(1, "b"))
    without_window(record(2, "a"))
    assert first_places(published) == [("b", None, 1)]
    without_window(record(3, "a"))
    assert first_places(published) == [("b", None, 1), ("a", "b", 2)]


def test_two_shards_that_rank_at_the_same_time_are_both_in_the_chart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_window(record(1, "a"))
    read, monkey = chart.read, iter([True])

    def interrupted() -> chart.Chart:
        found = read()
        if next(monkey, False):
            other = found.with_scores({"z": 5})
            assert chart._replace(found, other)
        return found

    monkeypatch.setattr(chart, "read", interrupted)
    monkeypatch.setattr(chart, "_wait", lambda _: None)
    without_window(record(2, "b"))
    assert {place.record_id for place in read().places} == {"a", "b", "z"}


def test_the_chart_is_shown_over_http() -> None:
    assert shown() == {"bestsellers": []}
    without_window(record(1, "a"), record(2, "b", "purchase"))
    assert shown() == {
        "bestsellers": [{"record_id": "b", "score": 10}, {"record_id": "a", "score": 1}]
    }


def shown() -> Any:
    answer = api.handler(http_event("GET", "/bestsellers", {}, b"", "api"), LambdaContext())
    assert answer["statusCode"] == 200
    return json.loads(answer["body"])


def _raise(*_: Any) -> None:
    raise RuntimeError("by order of the test")


def _failing_at(call: int, real: Callable[[Any], None]) -> Callable[[Any], None]:
    calls = iter(range(1, 1000))

    def write(items: Any) -> None:
        if next(calls) == call:
            raise RuntimeError("by order of the test")
        real(items)

    return write
