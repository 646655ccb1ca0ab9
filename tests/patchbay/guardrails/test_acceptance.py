"""Acceptances: which findings each covers."""

import json
from pathlib import Path

import pytest

from patchbay.guardrails.acceptance import Acceptances, read
from patchbay.guardrails.finding import Finding
from patchbay.topology.template import Resource, Template

QUEUE = Resource(Template("stack", {}), "Queue1", {"Type": "AWS::SQS::Queue"})
FINDING = Finding(QUEUE, "It is wrong.", check="tls")


def accepted_at(path: str, name: str = "tls") -> Acceptances:
    return Acceptances(
        {("stack", "Queue1"): "stack/Consumer/Queue/Resource"}, {path: frozenset({name})}
    )


@pytest.mark.parametrize(
    ("path", "holds"),
    [
        ("stack/Consumer/Queue/Resource", True),
        ("stack/Consumer/Queue", True),
        ("stack/Consumer", True),
        ("stack", False),
        ("", False),
        ("stack/Consumer/Que", False),
        ("stack/Consumer/DeadLetters", False),
        ("other/Consumer/Queue", False),
    ],
)
def test_a_finding_is_accepted_by_its_construct_and_those_around_it_but_not_by_its_stack(
    path: str, holds: bool
) -> None:
    assert accepted_at(path).covers(FINDING) is holds


@pytest.mark.parametrize("name", ["alarm", "tls[detail]", "TLS"])
def test_a_finding_is_accepted_by_its_own_name_only(name: str) -> None:
    assert not accepted_at("stack/Consumer/Queue", name).covers(FINDING)


def test_a_finding_that_concerns_no_resource_can_not_be_accepted() -> None:
    assert not accepted_at("stack").covers(Finding(None, "It is wrong.", check="tls"))


def test_an_unused_acceptance_is_found() -> None:
    accepted = accepted_at("stack/Consumer/Queue")
    assert accepted.unused([FINDING], {"tls"}) == []
    (finding,) = accepted.unused([], {"tls"})
    assert finding.text == (
        "stack/Consumer/Queue accepts tls, but there is no such finding any more. The next one "
        "there would be accepted unseen. Remove the acceptance."
    )


def test_an_unused_acceptance_of_another_tools_finding_is_not_found() -> None:
    assert accepted_at("stack/Consumer", "AwsSolutions-SQS3").unused([], {"tls"}) == []


def test_acceptances_are_read_from_the_assembly(tmp_path: Path) -> None:
    acknowledged = {"type": "aws:cdk:acknowledged-rules", "data": {"Annotation::tls": "Because."}}
    metadata = {
        "/stack/Queue": [acknowledged, {"type": "aws:cdk:warning", "data": "Beware."}],
        "/stack/Queue/Resource": [{"type": "aws:cdk:logicalId", "data": "Queue1"}],
    }
    artifact = {
        "type": "aws:cloudformation:stack",
        "properties": {"templateFile": "stack.template.json"},
        "additionalMetadataFile": "stack.metadata.json",
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"stack": artifact}}))
    (tmp_path / "stack.metadata.json").write_text(json.dumps(metadata))
    assert read(tmp_path).covers(FINDING)
