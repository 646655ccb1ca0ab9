"""cfn-lint's errors are findings. What cfn-lint checks well needs no check of our own."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from patchbay.guardrails import cfn_lint
from patchbay.guardrails.acceptance import Acceptances
from patchbay.guardrails.cfn_lint import Match, lint
from patchbay.guardrails.finding import Finding
from patchbay.guardrails.guard import unaccepted
from patchbay.topology.template import NAME_PROPERTIES, Template
from tests.patchbay.greenhouse import SAMPLE

STACK = "greenhouse-dev-sensors"
ROLE = "arn:aws:iam::123456789012:role/any"
WORKFLOW = json.loads((SAMPLE / "functions/watering/workflow.asl.json").read_text())
NAMED: Mapping[str, tuple[int, Mapping[str, Any]]] = {
    "Lambda::Function": (
        64,
        {"Code": {"ZipFile": "-"}, "Role": ROLE, "Handler": "a.b", "Runtime": "python3.14"},
    ),
    "Events::Rule": (64, {"EventPattern": {"source": ["greenhouse.sensors"]}}),
    "Events::EventBus": (256, {}),
    "Events::Archive": (48, {"SourceArn": "arn:aws:events:us-east-1:123456789012:event-bus/any"}),
    "IAM::Role": (
        64,
        {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                },
            }
        },
    ),
    "CloudWatch::Alarm": (
        255,
        {
            "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1,
            "MetricName": "any", "Namespace": "any", "Period": 60, "Statistic": "Sum",
            "Threshold": 1,
        },
    ),
    "Logs::LogGroup": (512, {}),
    "SNS::Topic": (256, {}),
    "Scheduler::Schedule": (
        64,
        {
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ScheduleExpression": "rate(1 day)",
            "Target": {
                "Arn": "arn:aws:lambda:us-east-1:123456789012:function:any",
                "RoleArn": ROLE,
            },
        },
    ),
    "Scheduler::ScheduleGroup": (64, {}),
    "StepFunctions::StateMachine": (
        80,
        {
            "RoleArn": ROLE,
            "DefinitionString": json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}),
        },
    ),
}  # fmt: skip


def template(**resources: Mapping[str, Any]) -> Template:
    """Return a template with these resources."""
    return Template(STACK, {"Resources": dict(resources)})


def resource(kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": dict(properties)}


def errors(checked: Template, cache: Path) -> list[Finding]:
    return lint({checked.stack: checked}, cache)


QUEUE = resource("SQS::Queue", {"QueueName": "greenhouse-dev-sensors", "DelaySeconds": 1000})


def test_an_error_is_a_finding_of_the_resource_with_the_name_of_its_rule(tmp_path: Path) -> None:
    checked = template(Queue=QUEUE)
    (finding,) = errors(checked, tmp_path)
    assert finding.id == "cfn-lint[E3034]"
    assert finding.at == checked.find({"Ref": "Queue"})
    assert finding.text.startswith(
        "SQS::Queue greenhouse-dev-sensors: 1000 is greater than the maximum of 900, at "
        "Properties.DelaySeconds. It could not be deployed; see https://"
    )


def test_a_construct_can_accept_an_error(tmp_path: Path) -> None:
    found = errors(template(Queue=QUEUE), tmp_path)
    path = f"{STACK}/Queue"
    accepted = Acceptances({(STACK, "Queue"): path}, {path: frozenset({"cfn-lint[E3034]"})})
    assert unaccepted(found, accepted, [cfn_lint.CHECK]) == []
    (unused,) = unaccepted([], accepted, [cfn_lint.CHECK])
    assert unused.text.startswith(f"{path} accepts cfn-lint[E3034], but there is no such finding")


def test_an_error_outside_the_resources_is_a_finding_of_the_template(tmp_path: Path) -> None:
    checked = Template(STACK, {"Resources": {}, "Outputs": {"Url": {"Value": {"Ref": "Nothing"}}}})
    assert {finding.at for finding in errors(checked, tmp_path)} == {None}
    assert all(f"Template {STACK}: " in finding.text for finding in errors(checked, tmp_path))


@pytest.mark.usefixtures("greenhouse")
@pytest.mark.parametrize("kind", NAMED)
def test_a_name_of_each_kind_is_checked_with_the_longest_stage_name(
    kind: str, tmp_path: Path
) -> None:
    limit, properties = NAMED[kind]
    prefix, name = "greenhouse-dev-", NAME_PROPERTIES[kind]
    fits = "n" * (limit - len(prefix) - 9)  # the longest stage name has 9 characters more than dev

    def named(given: str) -> list[Finding]:
        return errors(template(New=resource(kind, {**properties, name: prefix + given})), tmp_path)

    assert named(fits) == []
    assert {finding.detail for finding in named(f"{fits}n")} & {"E3033", "E3031"}


def state(definition: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = definition["States"][name]
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.pop("States"),
        lambda it: it.update(StartAt="Begin"),
        lambda it: state(it, "Prepare").update(End=True),
        lambda it: state(it, "Prepare").pop("Next"),
        lambda it: state(it, "OpenValve").pop("Resource"),
        lambda it: state(it, "OpenValve").update(TimeoutSeconds="soon"),
        lambda it: state(it, "OpenValve").update(Retries=[]),
        lambda it: state(it, "WhyNotChecked").pop("Choices"),
    ],
)
def test_the_schema_of_a_state_machine_is_checked(
    change: Callable[[dict[str, Any]], object], tmp_path: Path
) -> None:
    definition = json.loads(json.dumps(WORKFLOW))
    names = ("EventBusName", "Litres", "TanksTable", "ValveFunction")
    properties = {"RoleArn": ROLE, "DefinitionSubstitutions": dict.fromkeys(names, "5")}

    def found() -> list[str]:
        machine = {**properties, "DefinitionString": json.dumps(definition)}
        checked = template(Machine=resource("StepFunctions::StateMachine", machine))
        return [finding.id for finding in errors(checked, tmp_path)]

    assert found() == []
    change(definition)
    assert set(found()) == {"cfn-lint[E3601]"}


def test_a_warning_of_cfn_lint_is_no_finding(tmp_path: Path) -> None:
    first = resource("SQS::Queue", {})
    second = resource("SQS::Queue", {"Tags": [{"Key": "of", "Value": {"Ref": "First"}}]})
    assert errors(template(First=first, Second=second | {"DependsOn": "First"}), tmp_path) == []


def test_a_result_is_cached_by_the_templates_content_without_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, properties = NAMED["Lambda::Function"]

    def checked(key: str, memory: int) -> list[Finding]:
        code = {"S3Bucket": "assets", "S3Key": f"{key}.zip"}
        function = {**properties, "Code": code, "MemorySize": memory}
        return errors(template(New=resource("Lambda::Function", function)), tmp_path)

    runs, run = [], cfn_lint._run

    def counted(text: str) -> list[Match]:
        runs.append(text)
        return run(text)

    monkeypatch.setattr(cfn_lint, "_run", counted)
    assert checked("a" * 64, 1) == checked("b" * 64, 1) != []
    assert len(runs) == 1
    assert checked("a" * 64, 512) == []
    assert len(runs) == 2


def test_old_results_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cfn_lint, "KEPT", 2)
    monkeypatch.setattr(cfn_lint, "_run", lambda text: [])
    for delay in range(4):
        errors(template(Queue=resource("SQS::Queue", {"DelaySeconds": delay})), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
