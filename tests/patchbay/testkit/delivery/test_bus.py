"""EventBridge: each test names the page of AWS's documentation that says so."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from patchbay.project.naming import named
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.errors import NotDeployable, NotInTheKit
from patchbay.testkit.faults import Undeliverable
from patchbay.testkit.reading.arns import queue_url
from tests.patchbay.testkit.small import BUS, NAME, policy, rule, small

MIB = 1024 * 1024


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with Cloud(small(tmp_path)) as small_cloud:
        yield small_cloud


def attributes(cloud: Cloud) -> dict[str, str]:
    """Of the only message that could not be delivered."""
    url = queue_url(f"{NAME}-undelivered")
    sqs = boto3.client("sqs")
    (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    return {
        name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()
    }


def test_an_event_gets_its_envelope_and_keeps_its_detail_as_it_is_written(cloud: Cloud) -> None:
    """AWS service event metadata."""
    cloud.put("greenhouse.test", "Tested", '{"n": 1.50, "text": "\\u00e9"}')
    cloud.settle()
    ((body,),) = [line["bodies"] for line in cloud.logs("worker", "batch")]
    assert '"time": "2026-01-01T00:00:00Z"' in body
    assert body.endswith('"detail": {"n": 1.50, "text": "\\u00e9"}}')


def test_delivery_is_tried_for_a_day_and_then_given_up_with_the_reason(cloud: Cloud) -> None:
    """How EventBridge retries delivering events; Using dead-letter queues to process undelivered
    events in EventBridge."""
    cloud.break_("worker", with_=Undeliverable())
    cloud.put("greenhouse.test", "Tested", "{}")
    cloud.settle()
    assert timedelta(hours=23) < cloud.now - cloud.start < timedelta(hours=24, minutes=10)
    said = attributes(cloud)
    assert said["RULE_ARN"].endswith(f"rule/{BUS}/a-rule")
    assert said["TARGET_ARN"].endswith(named("test", "worker"))
    assert said["EXHAUSTED_RETRY_CONDITION"] in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")
    assert int(said["RETRY_ATTEMPTS"]) > 170


def test_delivery_succeeds_once_the_queue_can_be_reached_again(cloud: Cloud) -> None:
    """How EventBridge retries delivering events."""
    cloud.break_("worker", with_=Undeliverable(), lasting=timedelta(hours=3))
    cloud.put("greenhouse.test", "Tested", "{}")
    cloud.settle()
    assert len(cloud.logs("worker", "batch")) == 1
    assert cloud.undelivered("worker") == ()


@pytest.mark.parametrize("which", ["none", "for another rule"])
def test_what_a_queues_policy_does_not_allow_is_given_up_at_once(
    which: str, tmp_path: Path
) -> None:
    """Using resource-based policies for Amazon EventBridge: SQS permissions."""
    changes: dict[str, Any] = {"Other": rule("Queue") | {}, "Policy": policy("Undelivered")}
    changes["Other"]["Properties"] = changes["Other"]["Properties"] | {
        "Name": "another", "EventPattern": {"source": ["greenhouse.other"]},
    }  # fmt: skip
    if which == "for another rule":
        changes["OtherPolicy"] = policy("Queue", of="Other")
    with Cloud(small(tmp_path, changes=changes)) as cloud:
        cloud.put("greenhouse.test", "Tested", "{}")
        cloud.settle()
        assert cloud.now == cloud.start
        said = attributes(cloud)
        assert said["ERROR_CODE"] == "NO_PERMISSIONS"
        assert said["RETRY_ATTEMPTS"] == "0"
        assert "does not let EventBridge send for the rule a-rule" in said["ERROR_MESSAGE"]


def test_without_a_dead_letter_queue_what_can_not_be_delivered_is_lost(tmp_path: Path) -> None:
    """Using dead-letter queues to process undelivered events in EventBridge."""
    bare = rule("Queue")
    del bare["Properties"]["Targets"][0]["DeadLetterConfig"]
    with Cloud(small(tmp_path, changes={"Rule": bare, "Policy": None})) as cloud:
        cloud.put("greenhouse.test", "Tested", "{}")
        cloud.settle()
        (lost,) = cloud.lost
        assert "the target has no dead-letter queue" in lost


def test_a_rule_that_is_switched_off_passes_nothing(tmp_path: Path) -> None:
    """Enabling or disabling an Amazon EventBridge rule."""
    with Cloud(small(tmp_path, changes={"Rule": rule("Queue", State="DISABLED")})) as cloud:
        cloud.put("greenhouse.test", "Tested", "{}")
        cloud.settle()
        assert cloud.published()[0].deliveries == []


def test_an_event_that_no_rule_takes_names_the_nearest(cloud: Cloud) -> None:
    cloud.put("greenhouse.Test", "Tested", "{}")
    cloud.settle()
    assert 'a-rule wants {"source": ["greenhouse.test"]}' in cloud.log


def test_an_event_that_is_too_large_with_its_envelope_is_lost(cloud: Cloud) -> None:
    """Amazon SQS message quotas."""
    detail = '{"x": "%s"}' % ("x" * (MIB - 100))
    cloud.put("greenhouse.test", "Tested", detail)
    cloud.settle()
    (lost,) = cloud.lost  # the dead-letter queue takes no more than the queue
    assert "a queue takes 1,048,576" in lost


def test_a_request_over_a_mebibyte_is_refused(cloud: Cloud) -> None:
    """PutEvents quotas."""
    with pytest.raises(ClientError, match="over the limit"):
        cloud.put("greenhouse.test", "Tested", '{"x": "%s"}' % ("x" * MIB))


@pytest.mark.parametrize(
    ("source", "detail_type", "detail"),
    [("", "Tested", "{}"), ("greenhouse.test", "", "{}"), ("greenhouse.test", "Tested", "no JSON")],
)
def test_an_entry_that_is_no_event_is_refused(
    source: str, detail_type: str, detail: str, cloud: Cloud
) -> None:
    """PutEvents."""
    cloud.put(source, detail_type, detail)
    assert cloud.published() == []
    assert "could not publish" in cloud.log


def test_a_pattern_that_aws_refuses_is_not_deployable(tmp_path: Path) -> None:
    """Amazon EventBridge event patterns."""
    changes = {"Rule": rule("Queue")}
    changes["Rule"]["Properties"]["EventPattern"] = {"source": "greenhouse.test"}
    with (
        pytest.raises(NotDeployable, match=r"a-rule .* invalid event pattern"),
        Cloud(small(tmp_path, changes=changes)),
    ):
        pass


def test_a_target_that_the_kit_can_not_reach_is_named_when_an_event_comes_to_it(
    tmp_path: Path,
) -> None:
    to_kinesis = rule("Queue")
    to_kinesis["Properties"]["Targets"][0]["Arn"] = "arn:aws:kinesis:us-east-1:1:stream/s"
    with Cloud(small(tmp_path, changes={"Rule": to_kinesis})) as cloud:
        cloud.put("greenhouse.other", "Tested", "{}")
        cloud.settle()
        cloud.put("greenhouse.test", "Tested", "{}")
        with pytest.raises(NotInTheKit, match="a-rule targets arn:aws:kinesis"):
            cloud.settle()
