"""The storefront: takes interactions over HTTP, and puts them on its stream."""

import json
import time
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.client import BaseClient

from functions.storefront import stream
from functions.storefront.api import handler
from patchbay.testkit.aws.network import http_event

VIEW = {"record_id": "a", "kind": "view", "at": "2026-11-23T12:00:00Z"}


@pytest.fixture(autouse=True)
def kinesis(aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    client = boto3.client("kinesis")
    client.create_stream(StreamName="storefront", ShardCount=1)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return client


class Kinesis:
    """Refuses some records, as Kinesis does where a shard has more than it can take."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.refuse: dict[str, int] = {}  # how often, by partition key
        self.asked: list[list[str]] = []
        real = BaseClient._make_api_call  # type: ignore[attr-defined]

        def call(client: Any, operation: str, parameters: Mapping[str, Any]) -> Any:
            if operation != "PutRecords":
                return real(client, operation, parameters)
            return self._answer(lambda taken: real(client, operation, taken), parameters)

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    def _answer(self, put: Any, parameters: Mapping[str, Any]) -> Any:
        records = parameters["Records"]
        self.asked.append([record["PartitionKey"] for record in records])
        answers: list[dict[str, str]] = []
        for record in records:
            key = record["PartitionKey"]
            if self.refuse.get(key, 0) > 0:
                self.refuse[key] -= 1
                answers.append({"ErrorCode": "ProvisionedThroughputExceededException"})
            else:
                answers += put({**parameters, "Records": [record]})["Records"]
        failed = sum("ErrorCode" in answer for answer in answers)
        return {"FailedRecordCount": failed, "Records": answers}


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Kinesis:
    return Kinesis(monkeypatch)


def post(body: Any) -> tuple[int, Any]:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    answer = handler(http_event("POST", "/views", headers, text, "api"), LambdaContext())
    return answer["statusCode"], json.loads(answer["body"])


def streamed(kinesis: Any) -> list[dict[str, Any]]:
    shard = kinesis.get_shard_iterator(
        StreamName="storefront", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = kinesis.get_records(ShardIterator=shard)["Records"]
    return [{"key": each["PartitionKey"], **json.loads(each["Data"])} for each in records]


def test_an_accepted_interaction_is_on_the_stream_with_its_record_as_key(kinesis: Any) -> None:
    bought = VIEW | {"record_id": "b", "kind": "purchase", "customer_id": "00001"}
    assert post([VIEW, bought]) == (202, {"taken": 2})
    assert [(each["key"], each["kind"]) for each in streamed(kinesis)] == [
        ("a", "view"),
        ("b", "purchase"),
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ([VIEW] * 501, "body"),
        (VIEW, "body"),
        (b"no json", "body"),
        (b"\xff", "body"),
        ([VIEW, VIEW | {"record_id": "no such/id"}], "1.record_id"),
        ([VIEW | {"kind": "theft"}], "0.kind"),
        ([VIEW | {"at": "2026-11-23T12:00:00"}], "0.at"),
        ([VIEW | {"customer": "00001"}], "0.customer"),
    ],
)
def test_an_invalid_body_is_refused_as_a_whole_with_the_positions(
    body: Any, field: str, kinesis: Any
) -> None:
    status, answer = post(body)
    assert status == 400
    assert [problem["field"] for problem in answer["fields"]] == [field]
    assert streamed(kinesis) == []


def test_only_refused_records_are_sent_again(kinesis: Any, busy: Kinesis) -> None:
    busy.refuse = {"b": 2}
    views = [VIEW | {"record_id": record} for record in "abc"]
    assert post(views) == (202, {"taken": 3})
    assert busy.asked == [["a", "b", "c"], ["b"], ["b"]]
    assert sorted(each["key"] for each in streamed(kinesis)) == ["a", "b", "c"]


def test_records_that_are_refused_every_time_are_reported_by_position(
    kinesis: Any, busy: Kinesis
) -> None:
    busy.refuse = {"b": 1000}
    status, answer = post([VIEW | {"record_id": record} for record in "abcb"])
    assert (status, answer) == (503, {"taken": 2, "refused": 2, "refused_at": [1, 3]})
    assert len(busy.asked) == stream.ATTEMPTS
    assert [each["key"] for each in streamed(kinesis)] == ["a", "c"]


def test_without_the_stream_nothing_is_accepted(kinesis: Any) -> None:
    kinesis.delete_stream(StreamName="storefront")
    assert post([VIEW]) == (503, {"taken": 0, "refused": 1, "refused_at": [0]})
