"""Reading a template: what refers to what, and which events a rule lets through."""

import json
import sys
from pathlib import Path
from subprocess import run
from typing import Any

import pytest

from local.workspace import ROOT
from stacks.template import Resource, Template, lets_through, looks_inside, plain, read


def rule(pattern: dict[str, Any]) -> Resource:
    body = {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern}}
    return Resource(Template("stack", {}), "Rule", body)


@pytest.mark.parametrize(
    ("pattern", "passes", "filtered"),
    [
        ({"source": ["shop.orders"], "detail-type": ["OrderPlaced"]}, True, False),
        ({"source": ["shop.orders"]}, True, False),
        ({"source": [{"prefix": "shop."}]}, True, False),
        ({"source": ["shop.payments"]}, False, False),
        ({"detail-type": ["Orderplaced"]}, False, False),
        ({"source": ["shop.orders"], "detail": {"data": {"items": [1]}}}, True, True),
        ({"source": ["shop.payments"], "detail": {"data": {"items": [1]}}}, False, True),
        ({"detail": {"data": {"items": [1]}}}, True, True),
        ({"source": ["shop.orders"], "account": [{"Ref": "AWS::AccountId"}]}, True, True),
        ({"$or": [{"source": ["shop.orders"]}, {"source": ["shop.payments"]}]}, True, False),
        ({"$or": [{"source": ["shop.a"]}, {"source": ["shop.b"]}]}, False, False),
        ({"$or": [{"source": ["shop.a"]}, {"detail": {"data": {"items": [1]}}}]}, True, True),
        ({"source": [{"no-such-operator": 1}]}, False, False),
    ],
)
def test_a_rule_is_judged_by_the_source_and_type_that_it_asks_for(
    pattern: dict[str, Any], passes: bool, filtered: bool
) -> None:
    assert lets_through(rule(pattern), "shop.orders", "OrderPlaced") is passes
    assert looks_inside(rule(pattern)) is filtered


def test_what_only_cloudformation_knows_becomes_a_word() -> None:
    value = {"a": [{"Ref": "X"}, 1], "b": {"Fn::Join": ["", []]}, "c": {"Ref": "X", "d": 1}}
    assert plain(value) == {"a": ["to-be-known", 1], "b": "to-be-known", "c": {"Ref": "X", "d": 1}}


def test_a_reference_that_leads_out_of_the_stack_leads_to_nothing() -> None:
    template = Template("stack", {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    (queue,) = template.all("SQS::Queue")
    assert template.find({"Fn::GetAtt": ["Q", "Arn"]}) == template.find({"Ref": "Q"}) == queue
    for reference in ("arn:aws:sqs:eu-west-1:1:q", {"Ref": "AWS::Region"}, None, {"Fn::Sub": "Q"}):
        assert template.find(reference) is None


def test_what_an_earlier_synth_left_in_the_folder_is_not_read(tmp_path: Path) -> None:
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "a.template.json"}}
    assets = {"type": "cdk:asset-manifest", "properties": {"file": "a.assets.json"}}
    manifest = {"artifacts": {"patchbay-dev-a": stack, "patchbay-dev-a.assets": assets}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "a.template.json").write_text('{"Resources": {}}')
    (tmp_path / "patchbay-local-a.template.json").write_text("not even JSON")
    assert list(read(tmp_path)) == ["patchbay-dev-a"]


def test_a_template_and_its_routes_are_read_without_the_cdk() -> None:
    code = "import sys, stacks.template, stacks.routes; print('aws_cdk' in sys.modules)"
    result = run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
