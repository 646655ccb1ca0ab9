"""Lambda's poller for a DynamoDB stream. Each docstring is a page's title in AWS's docs."""

import json
from pathlib import Path
from typing import Any

import pytest

from patchbay.project.naming import named
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.templates import Templates
from tests.patchbay.testkit.small import ALL, at, resource, role, small

START = 1767225600.0
HANDLER = """
import json, time

def handler(event, context):
    keys = [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
    print(json.dumps({"message": "batch", "keys": keys, "at": time.time()}))
"""


def stream(folder: Path, then: str = "", *, policy: Any = ALL, **mapping: Any) -> Templates:
    """Return a table whose stream the function reads, with a failure destination."""
    table = resource(
        "DynamoDB::Table",
        TableName=named("test", "items"),
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamViewType": "NEW_IMAGE"},
    )
    properties = {
        "EventSourceArn": {"Fn::GetAtt": ["Table", "StreamArn"]},
        "FunctionName": {"Ref": "Function"},
        "StartingPosition": "TRIM_HORIZON",
        "DestinationConfig": {"OnFailure": {"Destination": at("Dead")}},
    } | mapping
    changes = {
        "Table": table,
        "Mapping": resource("Lambda::EventSourceMapping", **properties),
        "Role": role(*(policy if isinstance(policy, list) else [policy])),
    }
    templates = small(folder, changes=changes)
    (folder / "asset.code" / "worker.py").write_text(HANDLER + f"    {then}\n")
    return templates


def put(cloud: Cloud, *keys: str) -> None:
    for key in keys:
        cloud.resource_table("items").put_item(Item={"id": key})


def batches(cloud: Cloud) -> list[list[str]]:
    return [line["keys"] for line in cloud.logs("worker", "batch")]


def times(cloud: Cloud) -> list[float]:
    return [line["at"] - START for line in cloud.logs("worker", "batch")]


def test_records_arrive_in_order_and_in_batches(tmp_path: Path) -> None:
    """Polling and batching streams: Using AWS Lambda with Amazon DynamoDB."""
    with Cloud(stream(tmp_path, BatchSize=2)) as cloud:
        put(cloud, *"abcde")
        cloud.settle()
        assert batches(cloud) == [["a", "b"], ["c", "d"], ["e"]]


def test_a_record_that_matches_no_filter_is_skipped(tmp_path: Path) -> None:
    """Using event filtering with a DynamoDB event source."""
    inserts = {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]}
    with Cloud(stream(tmp_path, FilterCriteria=inserts)) as cloud:
        put(cloud, "a", "a", "b")
        cloud.resource_table("items").delete_item(Key={"id": "a"})
        cloud.settle()
        assert batches(cloud) == [["a", "b"]]


def test_a_failed_batch_is_retried_and_blocks_the_stream(tmp_path: Path) -> None:
    """Handling errors in DynamoDB event source mappings in Lambda."""
    fails_at_first = f"assert time.time() > {START + 5} or keys != ['a']"
    with Cloud(stream(tmp_path, fails_at_first, BatchSize=1)) as cloud:
        put(cloud, "a", "b")
        cloud.settle()
        assert batches(cloud) == [["a"], ["a"], ["a"], ["a"], ["b"]]
        assert times(cloud) == [0, 1, 3, 7, 7]


def test_after_its_retries_a_batch_is_given_up_and_a_dead_letter_has_its_position(
    tmp_path: Path,
) -> None:
    """Retain discarded batches with on-failure destinations."""
    with Cloud(stream(tmp_path, "assert keys != ['a']", BatchSize=1,
                      MaximumRetryAttempts=2)) as cloud:  # fmt: skip
        put(cloud, "a", "b")
        cloud.settle()
        assert batches(cloud) == [["a"], ["a"], ["a"], ["b"]]
        (dead_letter,) = cloud.dead_letters("worker")
        message = json.loads(dead_letter.body)
        assert message["requestContext"]["condition"] == "RetryAttemptsExhausted"
        assert message["requestContext"]["approximateInvokeCount"] == 3
        assert message["DDBStreamBatchInfo"]["batchSize"] == 1


def test_a_failed_batch_is_bisected_down_to_the_bad_record(tmp_path: Path) -> None:
    """BisectBatchOnFunctionError: CreateEventSourceMapping."""
    with Cloud(stream(tmp_path, "assert 'c' not in keys", BisectBatchOnFunctionError=True,
                      MaximumRetryAttempts=1)) as cloud:  # fmt: skip
        put(cloud, *"abcd")
        cloud.settle()
        done = [batch for batch in batches(cloud) if "c" not in batch]
        assert done == [["a", "b"], ["d"]]
        assert batches(cloud).count(["c"]) == 2
        assert (
            json.loads(cloud.dead_letters("worker")[0].body)["DDBStreamBatchInfo"]["batchSize"] == 1
        )


def test_a_record_that_is_too_old_is_given_up(tmp_path: Path) -> None:
    """MaximumRecordAgeInSeconds: CreateEventSourceMapping."""
    with Cloud(stream(tmp_path, "assert False", MaximumRecordAgeInSeconds=120)) as cloud:
        put(cloud, "a")
        cloud.settle()
        assert max(times(cloud)) < 120
        (dead_letter,) = cloud.dead_letters("worker")
        condition = json.loads(dead_letter.body)["requestContext"]["condition"]
        assert condition == "MaximumRecordAgeExceeded"


@pytest.mark.parametrize("destination", ["none", "not allowed"])
def test_without_a_permitted_failure_destination_a_given_up_record_is_lost(
    destination: str, tmp_path: Path
) -> None:
    """Retain discarded batches with on-failure destinations."""
    reading = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}
    mapping: dict[str, Any] = {"DestinationConfig": {}} if destination == "none" else {}
    with Cloud(stream(tmp_path, "assert False", policy=reading, MaximumRetryAttempts=0,
                      **mapping)) as cloud:  # fmt: skip
        put(cloud, "a")
        cloud.settle()
        assert len(cloud.lost) == 1
        assert len(cloud.dead_letters("worker")) == 0


def test_after_a_partial_response_the_batch_continues_at_the_first_failure(tmp_path: Path) -> None:
    """Configuring partial batch response with DynamoDB and Lambda."""
    reports = (
        "return {'batchItemFailures': [{'itemIdentifier': r['dynamodb']['SequenceNumber']}"
        " for r, key in zip(event['Records'], keys)"
        f" if key == 'b' and time.time() == {START}]}}"
    )
    with Cloud(
        stream(tmp_path, reports, FunctionResponseTypes=["ReportBatchItemFailures"])
    ) as cloud:
        put(cloud, *"abc")
        cloud.settle()
        assert batches(cloud) == [["a", "b", "c"], ["b", "c"]]
