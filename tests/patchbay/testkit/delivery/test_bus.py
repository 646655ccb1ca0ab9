"""EventBridge in the kit. Each docstring is the title of the page in AWS's documentation."""

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
    """Return the attributes of the only undelivered message."""
    url = queue_url(f"{NAME}-undelivered")
    sqs = boto3.client("sqs")
    (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    return {
        name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()
    }


def test_an_event_has_its_envelope_and_the_unchanged_text_of_its_detail(cloud: Cloud) -> None:
    """AWS service event metadata."""
    cloud.put("greenhouse.test", "Tested", '{"n": 1.50, "text": "\\u00e9"}')
    cloud.settle()
    ((body,),) = [line["bodies"] for line in cloud.logs("worker", "batch")]
    assert '"time": "2026-01-01T00:00:00Z"' in body
    assert body.endswith('"detail": {"n": 1.50, "text": "\\u00e9"}}')


def test_delivery_is_retried_for_a_day_and_then_given_up_with_the_reason(cloud: Cloud) -> None:
    """How EventBridge retries delivering events; Using dead-letter queues to process undelivered
    events in EventBridge."""
    cloud.break_("worker", with_=Undeliverable())
    cloud.put("greenhouse.test", "Tested", "{}")
    cloud.settle()
    assert timedelta(hours=23) < cloud.now - cloud.start < timedelta(hours=24, minutes=10)
    sent = attributes(cloud)
    assert sent["RULE_ARN"].endswith(f"rule/{BUS}/a-rule")
    assert sent["TARGET_ARN"].endswith(named("test", "worker"))
    assert sent["EXHAUSTED_RETRY_CONDITION"] in (
        "MaximumRetryAttempts",
        "MaximumEventAgeInSeconds",
    )
    assert int(sent["RETRY_ATTEMPTS"]) > 170


def test_delivery_succeeds_once_the_queue_can_be_reached_again(cloud: Cloud) -> None:
    """How EventBridge retries delivering events."""
    cloud.break_("worker", with_=Undeliverable(), lasting=timedelta(hours=3))
    cloud.put("greenhouse.test", "Tested", "{}")
    cloud.settle()
    assert len(cloud.logs("worker", "batch")) == 1
    assert cloud.undelivered("worker") == ()


@pytest.mark.parametrize("which", ["none", "for another rule"])
def test_a_delivery_that_the_queues_policy_does_not_allow_is_given_up_at_once(
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
        sent = attributes(cloud)
        assert sent["ERROR_CODE"] == "NO_PERMISSIONS"
        assert sent["RETRY_ATTEMPTS"] == "0"
        assert "does not let EventBridge send for the rule a-rule" in sent["ERROR_MESSAGE"]


def test_without_a_dead_letter_queue_an_undelivered_event_is_lost(tmp_path: Path) -> None:
    """Using dead-letter queues to process undelivered events in EventBridge."""
    bare = rule("Queue")
    del bare["Properties"]["Targets"][0]["DeadLetterConfig"]
    with Cloud(small(tmp_path, changes={"Rule": bare, "Policy": None})) as cloud:
        cloud.put("greenhouse.test", "Tested", "{}")
        cloud.settle()
        (lost,) = cloud.lost
        assert "the target has no dead-letter queue" in lost


def test_a_disabled_rule_delivers_nothing(tmp_path: Path) -> None:
    """Enabling or disabling an Amazon EventBridge rule."""
    with Cloud(small(tmp_path, changes={"Rule": rule("Queue", State="DISABLED")})) as cloud:
        cloud.put("greenhouse.test", "Tested", "{}")
        cloud.settle()
        assert cloud.published()[0].deliveries == []


def test_the_log_names_the_nearest_rule_of_an_event_that_none_matches(cloud: Cloud) -> None:
    cloud.put("greenhouse.Test", "Tested", "{}")
    cloud.settle()
    assert 'a-rule has the pattern {"source": ["greenhouse.test"]}' in cloud.log


def test_an_event_that_is_too_large_with_its_envelope_is_lost(cloud: Cloud) -> None:
    """Amazon SQS message quotas."""
    detail = '{"x": "%s"}' % ("x" * (MIB - 100))
    cloud.put("greenhouse.test", "Tested", detail)
    cloud.settle()
    (lost,) = cloud.lost  # the dead-letter queue has the same limit as the queue
    assert "a queue accepts 1,048,576" in lost


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


def test_a_target_that_the_kit_does_not_simulate_is_named_when_an_event_reaches_it(
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
