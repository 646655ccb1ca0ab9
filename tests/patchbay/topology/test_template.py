"""Templates are read with their references."""

import json
import sys
from pathlib import Path
from subprocess import run

from patchbay.project.root import ROOT
from patchbay.topology.template import Template, plain, read


def test_a_value_that_only_cloudformation_knows_becomes_a_placeholder() -> None:
    value = {"a": [{"Ref": "X"}, 1], "b": {"Fn::Join": ["", []]}, "c": {"Ref": "X", "d": 1}}
    assert plain(value) == {"a": ["to-be-known", 1], "b": "to-be-known", "c": {"Ref": "X", "d": 1}}


def test_a_reference_out_of_the_stack_finds_nothing() -> None:
    template = Template("stack", {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    (queue,) = template.all("SQS::Queue")
    assert template.find({"Fn::GetAtt": ["Q", "Arn"]}) == template.find({"Ref": "Q"}) == queue
    for reference in ("arn:aws:sqs:eu-west-1:1:q", {"Ref": "AWS::Region"}, None, {"Fn::Sub": "Q"}):
        assert template.find(reference) is None


def test_templates_that_an_earlier_synth_left_in_the_folder_are_not_read(tmp_path: Path) -> None:
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "a.template.json"}}
    assets = {"type": "cdk:asset-manifest", "properties": {"file": "a.assets.json"}}
    manifest = {"artifacts": {"records-dev-a": stack, "records-dev-a.assets": assets}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "a.template.json").write_text('{"Resources": {}}')
    (tmp_path / "records-local-a.template.json").write_text("not even JSON")
    assert list(read(tmp_path)) == ["records-dev-a"]


def test_a_template_and_its_routes_are_read_without_the_cdk() -> None:
    code = "import sys, patchbay.topology.routes; print('aws_cdk' in sys.modules)"
    result = run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
