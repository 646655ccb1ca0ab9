"""Lambda's poller for a Kinesis stream. Each docstring is a page's title in AWS's docs."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from patchbay.project.naming import named
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.errors import NotDeployable
from patchbay.testkit.reading.intrinsics import REGION
from patchbay.testkit.templates import Templates
from tests.patchbay.testkit.small import ALL, at, resource, role, small

START = 1767225600.0  # a whole minute, at which a window begins
STREAM = named("test", "clicks")
HANDLER = """
import base64, json, time

def handler(event, context):
    texts = [base64.b64decode(r["kinesis"]["data"]).decode() for r in event["Records"]]
    line = {"message": "batch", "texts": texts, "at": time.time(), "event": event}
    print(json.dumps(line))
    state = {"seen": event.get("state", {}).get("seen", []) + texts}
"""
REPORT = (
    "return {{'state': {{'seen': state['seen'][:-1 - texts[::-1].index('{0}')]}}, "
    "'batchItemFailures': [{{'itemIdentifier': r['kinesis']['sequenceNumber']}} "
    "for r, t in zip(event['Records'], texts) if t == '{0}']}} if '{0}' in texts else "
    "{{'state': state}}"
)


def stream(
    folder: Path, then: str = "return {'state': state}", *, policy: Any = ALL, **mapping: Any
) -> Templates:
    """Return a stream that the function reads, with a failure destination."""
    properties = {
        "EventSourceArn": at("Stream"),
        "FunctionName": {"Ref": "Function"},
        "StartingPosition": "TRIM_HORIZON",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "DestinationConfig": {"OnFailure": {"Destination": at("Dead")}},
    } | mapping
    changes = {
        "Stream": resource("Kinesis::Stream", Name=STREAM),
        "Mapping": resource("Lambda::EventSourceMapping", **properties),
        "Role": role(policy),
    }
    templates = small(folder, changes=changes)
    (folder / "asset.code" / "worker.py").write_text(HANDLER + f"    {then}\n")
    return templates


def put(*texts: str) -> None:
    records: Any = [{"Data": text.encode(), "PartitionKey": "a key"} for text in texts]
    boto3.client("kinesis", region_name=REGION).put_records(StreamName=STREAM, Records=records)


def batches(cloud: Cloud) -> list[list[str]]:
    return [line["texts"] for line in cloud.logs("worker", "batch")]


def times(cloud: Cloud) -> list[float]:
    return [line["at"] - START for line in cloud.logs("worker", "batch")]


def events(cloud: Cloud) -> list[dict[str, Any]]:
    return [line["event"] for line in cloud.logs("worker", "batch")]


def test_records_arrive_in_order_and_in_batches(tmp_path: Path) -> None:
    """Process Amazon Kinesis Data Streams records with Lambda: Polling and batching streams."""
    with Cloud(stream(tmp_path, BatchSize=2)) as cloud:
        put(*"abcde")
        cloud.settle()
        assert batches(cloud) == [["a", "b"], ["c", "d"], ["e"]]
        record = events(cloud)[0]["Records"][0]
        assert record["eventID"] == f"shardId-000000000000:{record['kinesis']['sequenceNumber']}"
        assert record["eventSource"] == "aws:kinesis"


def test_a_failed_batch_is_retried_and_blocks_its_shard(
    tmp_path: Path,
) -> None:
    """Process Amazon Kinesis Data Streams records with Lambda."""
    fails_at_first = f"assert time.time() > {START + 2} or texts != ['a']"
    with Cloud(stream(tmp_path, fails_at_first, BatchSize=1)) as cloud:
        put("a", "b")
        cloud.settle()
        assert batches(cloud) == [["a"], ["a"], ["a"], ["b"]]
        assert times(cloud) == [0, 1, 3, 3]


def test_after_its_retries_a_dead_letter_has_the_position_of_the_batch(tmp_path: Path) -> None:
    """Retain discarded batch records for a Kinesis Data Streams event source in Lambda."""
    with Cloud(stream(tmp_path, "assert texts != ['b']", BatchSize=1,
                      MaximumRetryAttempts=2)) as cloud:  # fmt: skip
        put("a", "b", "c")
        cloud.settle()
        assert batches(cloud) == [["a"], ["b"], ["b"], ["b"], ["c"]]
        (dead_letter,) = cloud.dead_letters("worker")
        message = json.loads(dead_letter.body)
        assert message["requestContext"]["condition"] == "RetryAttemptsExhausted"
        number = events(cloud)[1]["Records"][0]["kinesis"]["sequenceNumber"]
        assert message["KinesisBatchInfo"] == {
            "shardId": "shardId-000000000000",
            "startSequenceNumber": number,
            "endSequenceNumber": number,
            "batchSize": 1,
            "streamArn": f"arn:aws:kinesis:{REGION}:123456789012:stream/{STREAM}",
        }


def test_a_record_that_is_too_old_is_given_up(tmp_path: Path) -> None:
    """Process Amazon Kinesis Data Streams records with Lambda: MaximumRecordAgeInSeconds."""
    with Cloud(stream(tmp_path, "assert False", MaximumRecordAgeInSeconds=120)) as cloud:
        put("a")
        cloud.settle()
        assert max(times(cloud)) < 120
        (dead_letter,) = cloud.dead_letters("worker")
        condition = json.loads(dead_letter.body)["requestContext"]["condition"]
        assert condition == "MaximumRecordAgeExceeded"


def test_a_batch_that_fails_as_a_whole_is_bisected_down_to_the_bad_record(
    tmp_path: Path,
) -> None:
    """Process Amazon Kinesis Data Streams records with Lambda: BisectBatchOnFunctionError."""
    with Cloud(stream(tmp_path, "assert 'c' not in texts", BisectBatchOnFunctionError=True,
                      MaximumRetryAttempts=1)) as cloud:  # fmt: skip
        put(*"abcd")
        cloud.settle()
        assert [batch for batch in batches(cloud) if "c" not in batch] == [["a", "b"], ["d"]]
        assert batches(cloud).count(["c"]) == 2


def test_a_partial_response_splits_the_batch_at_the_failure_and_does_not_bisect_it(
    tmp_path: Path,
) -> None:
    """Configuring partial batch response with Kinesis Data Streams and Lambda."""
    with Cloud(stream(tmp_path, REPORT.format("c"), BisectBatchOnFunctionError=True,
                      MaximumRetryAttempts=2)) as cloud:  # fmt: skip
        put(*"abcde")
        cloud.settle()
        assert batches(cloud) == [list("abcde"), list("cde"), list("cde")]
        (dead_letter,) = cloud.dead_letters("worker")
        assert json.loads(dead_letter.body)["KinesisBatchInfo"]["batchSize"] == 3


def test_a_window_passes_its_state_from_batch_to_batch_and_ends_without_records(
    tmp_path: Path,
) -> None:
    """Implementing stateful Kinesis Data Streams processing in Lambda."""
    with Cloud(stream(tmp_path, BatchSize=2, TumblingWindowInSeconds=60)) as cloud:
        put(*"abc")
        cloud.advance(seconds=30)
        put("d")
        cloud.settle()
        assert batches(cloud) == [["a", "b"], ["c"], ["d"], []]
        assert times(cloud) == [0, 0, 30, 60]
        states = [event["state"].get("seen") for event in events(cloud)]
        assert states == [None, ["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"]]
        *_, last = events(cloud)
        assert last["window"] == {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:01:00Z"}
        assert last["shardId"] == "shardId-000000000000"
        assert last["eventSourceARN"].endswith(STREAM)
        assert not last["isWindowTerminatedEarly"]
        finals = [event["isFinalInvokeForWindow"] for event in events(cloud)]
        assert finals == [False, False, False, True]


def test_each_window_begins_with_an_empty_state(tmp_path: Path) -> None:
    """Implementing stateful Kinesis Data Streams processing in Lambda."""
    with Cloud(stream(tmp_path, TumblingWindowInSeconds=60)) as cloud:
        put("a")
        cloud.advance(seconds=90)
        put("b")
        cloud.settle()
        assert batches(cloud) == [["a"], [], ["b"], []]
        assert events(cloud)[2]["state"] == {}
        assert events(cloud)[3]["window"]["start"] == "2026-01-01T00:01:00Z"


def test_records_of_two_windows_are_never_in_one_batch(tmp_path: Path) -> None:
    """Implementing stateful Kinesis Data Streams processing in Lambda."""
    fails_for_long = f"assert time.time() > {START + 70}\n    return {{'state': state}}"
    with Cloud(stream(tmp_path, fails_for_long, TumblingWindowInSeconds=60)) as cloud:
        put("a")
        cloud.advance(seconds=59)
        put("b")
        cloud.advance(seconds=2)
        put("c")
        cloud.settle()
        done = [batch for batch, at in zip(batches(cloud), times(cloud), strict=True) if at > 70]
        assert done == [["a"], ["b"], [], ["c"], []]


def test_a_failed_batch_in_a_window_is_retried_with_the_state_before_it(tmp_path: Path) -> None:
    """Implementing stateful Kinesis Data Streams processing in Lambda: Tumbling window behavior."""
    fails_once = f"assert time.time() != {START + 10}\n    return {{'state': state}}"
    with Cloud(stream(tmp_path, fails_once, TumblingWindowInSeconds=60)) as cloud:
        put("a")
        cloud.advance(seconds=10)
        put("b")
        cloud.settle()
        assert batches(cloud) == [["a"], ["b"], ["b"], []]
        states = [event["state"].get("seen") for event in events(cloud)]
        assert states == [None, ["a"], ["a"], ["a", "b"]]


def test_a_failed_final_invocation_of_a_window_is_retried(tmp_path: Path) -> None:
    """Implementing stateful Kinesis Data Streams processing in Lambda."""
    fails_once = f"assert time.time() != {START + 60}\n    return {{'state': state}}"
    with Cloud(stream(tmp_path, fails_once, TumblingWindowInSeconds=60)) as cloud:
        put("a")
        cloud.settle()
        assert batches(cloud) == [["a"], [], []]
        assert events(cloud)[1:] == [events(cloud)[1]] * 2


def test_a_response_without_a_state_is_a_failure_in_a_window(tmp_path: Path) -> None:
    """Implementing stateful Kinesis Data Streams processing in Lambda."""
    with Cloud(stream(tmp_path, "return {}", TumblingWindowInSeconds=60,
                      MaximumRetryAttempts=1)) as cloud:  # fmt: skip
        put("a")
        cloud.settle()
        assert batches(cloud)[:2] == [["a"], ["a"]]
        assert len(cloud.dead_letters("worker")) == 1


def test_a_window_whose_state_is_too_large_ends_early(tmp_path: Path) -> None:
    """Implementing stateful Kinesis Data Streams processing in Lambda."""
    grows = "return {'state': {'large': 'x' * 2**20} if texts else {}}"
    with Cloud(stream(tmp_path, grows, TumblingWindowInSeconds=60)) as cloud:
        put("a")
        cloud.advance(seconds=1)
        assert batches(cloud) == [["a"], []]
        assert events(cloud)[1]["isWindowTerminatedEarly"]
        assert events(cloud)[1]["isFinalInvokeForWindow"]


@pytest.mark.parametrize("missing", ["kinesis:GetRecords", "kinesis:ListShards"])
def test_a_role_that_may_not_read_the_stream_is_refused(missing: str, tmp_path: Path) -> None:
    """Process Amazon Kinesis Data Streams records with Lambda: Execution role permissions."""
    actions = {
        "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords",
        "kinesis:GetShardIterator", "kinesis:ListShards",
    }  # fmt: skip
    allowed = {"Effect": "Allow", "Action": sorted(actions - {missing}), "Resource": "*"}
    with pytest.raises(NotDeployable, match=missing), Cloud(stream(tmp_path, policy=allowed)):
        pass
