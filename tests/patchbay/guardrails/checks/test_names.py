"""Names are within AWS's limits in every stage."""

import pytest

from patchbay.guardrails.checks.names import LIMITS
from patchbay.topology.template import Template
from tests.patchbay.guardrails.broken import Broken

WORDS = {kind: word for kind, (word, _) in LIMITS.items()}


def test_a_name_that_is_too_long_is_found_with_its_excess(dev: Broken) -> None:
    dev.queue("alerts")["QueueName"] = "greenhouse-dev-" + "q" * 70
    longest = "greenhouse-" + "s" * 12 + "-" + "q" * 70
    (finding,) = dev.found()
    assert finding.id == "name"
    assert finding.text == (
        f"Queue {longest} has a name of 94 characters, but AWS allows 80: it could not be "
        "deployed. Shorten it by 14 characters."
    )


def test_a_name_that_fits_here_and_not_in_another_stage_is_found_here(dev: Broken) -> None:
    queue = dev.queue("alerts")
    queue["QueueName"] = "greenhouse-dev-" + "q" * 56
    assert dev.found() == []
    queue["QueueName"] += "q"
    dev.finds(
        "name",
        f"Queue greenhouse-{'s' * 12}-{'q' * 57} has a name of 81 characters, but AWS allows 80: "
        "it could not be deployed. Shorten it by 1 character.",
    )


@pytest.mark.parametrize(
    ("kind", "property", "limit"),
    [
        ("SQS::Queue", "QueueName", 80),
        ("DynamoDB::Table", "TableName", 255),
        ("ApiGatewayV2::Api", "Name", 128),
    ],
)
def test_a_name_of_each_kind_may_be_as_long_as_aws_says_and_no_longer(
    kind: str, property: str, limit: int, dev: Broken
) -> None:
    properties = {property: "n" * limit, "SqsManagedSseEnabled": True, "RetentionInDays": 1}
    dev.resources("sensors")["New"] = {"Type": f"AWS::{kind}", "Properties": properties}
    assert "name" not in [finding.id for finding in dev.found()]
    properties[property] = "n" * (limit + 1)
    assert [f.text for f in dev.found() if f.id == "name"] == [
        f"{WORDS[kind]} {'n' * (limit + 1)} has a name of {limit + 1} characters, but AWS allows "
        f"{limit}: it could not be deployed. Shorten it by 1 character."
    ]


def test_a_word_that_begins_like_a_stages_name_is_not_a_stage(dev: Broken) -> None:
    dev.queue("alerts")["QueueName"] = "patchbay-device-" + "q" * 64
    assert dev.found() == []


@pytest.mark.parametrize(("length", "count"), [(104, 0), (105, 1)])
def test_a_stacks_name_is_within_cloudformations_limit(
    length: int, count: int, dev: Broken
) -> None:
    stack = "greenhouse-dev-" + "s" * length
    dev.templates[stack] = Template(stack, {"Resources": {}})
    found = dev.found()
    assert len(found) == count
    assert all("but AWS allows 128" in finding.text for finding in found)
