"""Roles have exact actions and resources, and publish only their own service's events."""

import copy
from typing import Any

import pytest

from tests.patchbay.guardrails.broken import Broken

ANY_EVENT = (
    "Function greenhouse-dev-sensors-outbox may publish any event as any service: its PutEvents is "
    "not limited by events:source and events:detail-type. Declare what it publishes."
)


def test_a_wildcard_of_actions_is_found(dev: Broken) -> None:
    dev.statement("alerts", "dynamodb:GetItem")["Action"] = ["dynamodb:GetItem", "dynamodb:Put*"]
    dev.finds(
        "wildcard[dynamodb:Put*]",
        "Function greenhouse-dev-alerts may dynamodb:Put*, which is more than one action: a bug "
        "could do what the function never needs. Name each action.",
    )


@pytest.mark.parametrize(
    "resource", ["*", {"Fn::Join": ["", ["arn:aws:dynamodb:", {"Ref": "R"}, ":1:table/*"]]}]
)
def test_a_wildcard_of_resources_is_found(resource: Any, dev: Broken) -> None:
    dev.statement("alerts-siren", "dynamodb:PutItem").update(
        {"Action": "dynamodb:Scan", "Resource": resource}
    )
    dev.finds(
        "wildcard[dynamodb:Scan]",
        "Function greenhouse-dev-alerts-siren may dynamodb:Scan on any resource: a bug could "
        "reach another service's. Name the resource; where the action supports none, accept this "
        "finding.",
    )


def test_an_accepted_wildcard_of_one_action_covers_no_other(dev: Broken) -> None:
    tracing = dev.statement("alerts", "xray:PutTraceSegments")
    tracing["Action"].append("xray:GetTraceSummaries")
    (finding,) = dev.found()
    assert finding.id == "wildcard[xray:GetTraceSummaries]"


def test_an_acceptance_for_a_removed_permission_is_found(dev: Broken) -> None:
    dev.statements("alerts").remove(dev.statement("alerts", "xray:PutTraceSegments"))
    assert [(finding.id, finding.text) for finding in dev.found()] == [
        (
            "acceptance",
            f"greenhouse-dev-alerts/Function/Role accepts wildcard[xray:{action}], but there is "
            "no such finding any more. The next one there would be accepted unseen. Remove the "
            "acceptance.",
        )
        for action in ("PutTelemetryRecords", "PutTraceSegments")
    ]


@pytest.mark.parametrize("word", ["Action", "Resource"])
def test_a_statement_with_an_exclusion_is_found(word: str, dev: Broken) -> None:
    statement = dev.statement("alerts-siren", "dynamodb:PutItem")
    statement[f"Not{word}"] = statement.pop(word)
    (finding,) = dev.found()
    assert finding.id == "wildcard[Not]"


def test_a_denial_may_have_wildcards(dev: Broken) -> None:
    dev.statements("alerts").append({"Effect": "Deny", "Action": "s3:*", "Resource": "*"})
    assert dev.found() == []


def test_a_policy_inside_of_a_role_is_checked_too(dev: Broken) -> None:
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::one"}
    role = dev.function("alerts")["Role"]["Fn::GetAtt"][0]
    dev.resources("alerts")[role]["Properties"]["Policies"] = [
        {"PolicyName": "More", "PolicyDocument": {"Statement": [statement]}}
    ]
    (finding,) = dev.found()
    assert finding.id == "wildcard[s3:*]"


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:events:eu-west-1:111122223333:event-bus/default",
        "arn:aws:events:eu-west-1:111122223333:event-bus/greenhouse-prod",
    ],
)
def test_events_go_to_the_systems_own_bus(resource: str, dev: Broken) -> None:
    dev.statement("sensors-outbox", "events:PutEvents")["Resource"] = resource
    dev.finds(
        "publishing",
        "Function greenhouse-dev-sensors-outbox may put events on another bus than "
        "greenhouse-dev: nothing in this system would receive them. Name greenhouse-dev as the "
        "resource.",
    )


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"StringEquals": {"events:source": "greenhouse.sensors"}},
        {"StringEquals": {"events:detail-type": ["ReadingTaken"]}},
        {"StringLike": {"events:source": "greenhouse.*", "events:detail-type": "*"}},
        {
            "StringEquals": {
                "events:source": "greenhouse.sensors",
                "events:detail-type": "ReadingTaken",
            },
            "ForAnyValue:StringLike": {"events:source": "*"},
        },
    ],
)
def test_a_function_that_may_publish_anything_is_found(
    condition: dict[str, Any], dev: Broken
) -> None:
    dev.statement("sensors-outbox", "events:PutEvents")["Condition"] = condition
    dev.finds("publishing", ANY_EVENT)


def test_an_event_that_no_contract_describes_may_not_be_published(dev: Broken) -> None:
    (condition,) = dev.statement("sensors-outbox", "events:PutEvents")["Condition"].values()
    condition["events:detail-type"].append("BedWaterd")
    dev.finds(
        "publishing",
        "Function greenhouse-dev-sensors-outbox may publish BedWaterd from greenhouse.sensors, "
        "which no contract describes: no consumer could know its fields. Write its contract, or "
        "remove the permission.",
    )


def test_every_event_is_published_by_the_service_that_owns_it_alone(dev: Broken) -> None:
    theirs = copy.deepcopy(dev.statement("alerts", "events:PutEvents"))
    (condition,) = theirs["Condition"].values()
    condition["events:detail-type"] = ["AlertRaised"]
    dev.statements("sensors-outbox").append(theirs)
    dev.finds(
        "publishing",
        "Function greenhouse-dev-sensors-outbox may publish AlertRaised, which is the alerts "
        "service's event: its consumers could not tell who published it. Publish an event of the "
        "sensors service's instead.",
    )
