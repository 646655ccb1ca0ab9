"""Names that AWS takes, in every stage."""

import pytest

from patchbay.guardrails.checks.names import LIMITS
from patchbay.topology.template import Template
from tests.patchbay.guardrails.broken import Broken

WORDS = {kind: word for kind, (word, _) in LIMITS.items()}


def test_a_name_that_is_too_long_is_found_with_its_excess(dev: Broken) -> None:
    dev.queue("payments")["QueueName"] = "records-dev-" + "q" * 70
    longest = "records-" + "s" * 12 + "-" + "q" * 70
    (finding,) = dev.found()
    assert finding.id == "name"
    assert finding.text == (
        f"Queue {longest} has a name of 91 characters, and AWS takes 80: it could not be deployed. "
        "Shorten it by 11 characters."
    )


def test_a_name_that_fits_here_and_not_in_another_stage_is_found_here(dev: Broken) -> None:
    rule = dev.rule("payments-shop-orders")
    rule["Name"] = "records-dev-" + "r" * 43
    assert dev.found() == []
    rule["Name"] += "r"
    dev.finds(
        "name",
        f"Rule records-{'s' * 12}-{'r' * 44} has a name of 65 characters, and AWS takes 64: it "
        "could not be deployed. Shorten it by 1 character.",
    )


@pytest.mark.parametrize(
    ("kind", "property", "limit"),
    [
        ("SQS::Queue", "QueueName", 80),
        ("Lambda::Function", "FunctionName", 64),
        ("Events::Rule", "Name", 64),
        ("Events::EventBus", "Name", 256),
        ("Events::Archive", "ArchiveName", 48),
        ("DynamoDB::Table", "TableName", 255),
        ("IAM::Role", "RoleName", 64),
        ("CloudWatch::Alarm", "AlarmName", 255),
        ("Logs::LogGroup", "LogGroupName", 512),
        ("SNS::Topic", "TopicName", 256),
    ],
)
def test_a_name_of_each_kind_may_be_as_long_as_aws_says_and_no_longer(
    kind: str, property: str, limit: int, dev: Broken
) -> None:
    properties = {property: "n" * limit, "SqsManagedSseEnabled": True, "RetentionInDays": 1}
    dev.resources("orders")["New"] = {"Type": f"AWS::{kind}", "Properties": properties}
    assert "name" not in [finding.id for finding in dev.found()]
    properties[property] = "n" * (limit + 1)
    assert [f.text for f in dev.found() if f.id == "name"] == [
        f"{WORDS[kind]} {'n' * (limit + 1)} has a name of {limit + 1} characters, and AWS takes "
        f"{limit}: it could not be deployed. Shorten it by 1 character."
    ]


def test_a_word_that_begins_like_a_stage_is_not_one(dev: Broken) -> None:
    dev.rule("payments-shop-orders")["Name"] = "patchbay-device-" + "r" * 48
    assert dev.found() == []


@pytest.mark.parametrize(("length", "count"), [(107, 0), (108, 1)])
def test_a_stack_has_a_name_that_cloudformation_takes(length: int, count: int, dev: Broken) -> None:
    stack = "records-dev-" + "s" * length
    dev.templates[stack] = Template(stack, {"Resources": {}})
    found = dev.found()
    assert len(found) == count
    assert all("and AWS takes 128" in finding.text for finding in found)
