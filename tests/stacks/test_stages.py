"""Stages: the differences between local, dev and prod."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from patchbay.project.naming import bus_name, named
from patchbay.project.root import ROOT
from patchbay.topology.template import Template, listed, texts
from tests.stacks.conftest import Templates
from tests.synthesis import SETTINGS, run_app

STAGES = ("local", "dev", "prod")
DATA = ("DynamoDB::Table", "SQS::Queue", "Logs::LogGroup", "Events::EventBus", "Events::Archive")
NAMES = {
    "SQS::Queue": ("QueueName", 80),
    "Lambda::Function": ("FunctionName", 64),
    "Events::Rule": ("Name", 64),
    "DynamoDB::Table": ("TableName", 255),
    "CloudWatch::Alarm": ("AlarmName", 255),
    "Logs::LogGroup": ("LogGroupName", 512),
    "SNS::Topic": ("TopicName", 256),
    "Events::EventBus": ("Name", 256),
    "Events::Archive": ("ArchiveName", 48),
    "StepFunctions::StateMachine": ("StateMachineName", 80),
}


def policies(template: Template, kind: str) -> set[tuple[str, str]]:
    return {
        (resource.body.get("DeletionPolicy", ""), resource.body.get("UpdateReplacePolicy", ""))
        for resource in template.all(kind)
    }


@pytest.mark.parametrize("kind", DATA)
def test_prod_retains_its_data_when_a_stack_is_deleted(templates: Templates, kind: str) -> None:
    found = [policies(template, kind) for template in templates("prod").values()]
    assert set().union(*found) == {("Retain", "Retain")}


def test_prod_protects_its_tables_from_deletion(templates: Templates) -> None:
    for stage, protected in {"prod": True, "dev": False, "local": False}.items():
        for template in templates(stage).values():
            for table in template.all("DynamoDB::Table"):
                assert table.properties["DeletionProtectionEnabled"] is protected


@pytest.mark.parametrize("stage", ["local", "dev"])
@pytest.mark.parametrize("kind", DATA)
def test_in_other_stages_everything_is_deleted_with_its_stack(
    templates: Templates, kind: str, stage: str
) -> None:
    found = [policies(template, kind) for template in templates(stage).values()]
    assert set().union(*found) <= {("Delete", "Delete")}


@pytest.mark.parametrize("stage", STAGES)
def test_every_table_can_be_put_back_to_an_earlier_time(templates: Templates, stage: str) -> None:
    for template in templates(stage).values():
        for table in template.all("DynamoDB::Table"):
            recovery = table.properties["PointInTimeRecoverySpecification"]
            assert recovery == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize(("stage", "archives"), [("local", 0), ("dev", 1), ("prod", 1)])
def test_every_event_is_archived_on_aws(templates: Templates, stage: str, archives: int) -> None:
    found = templates(stage)[named(stage, "broker")].all("Events::Archive")
    assert len(found) == archives
    for archive in found:
        assert archive.properties["RetentionDays"] == 90
        assert archive.properties["EventPattern"] == {"source": [{"prefix": "shop."}]}


@pytest.mark.parametrize(("stage", "deployed"), [("dev", True), ("prod", False)])
def test_the_sandbox_is_deployed_in_dev_and_never_in_prod(
    templates: Templates, stage: str, deployed: bool
) -> None:
    payments = templates(stage)[named(stage, "payments")]
    names = {function.properties["FunctionName"] for function in payments.all("Lambda::Function")}
    assert (named(stage, "payments-sandbox") in names) is deployed
    assert bool(payments.all("Lambda::Url")) is deployed
    assert ("sandbox" in "".join(texts(payments.body)).lower()) is deployed


def test_the_sandbox_only_answers_callers_that_iam_allows(templates: Templates) -> None:
    (url,) = templates("dev")["records-dev-payments"].all("Lambda::Url")
    assert url.properties["AuthType"] == "AWS_IAM"


def test_prod_charges_at_the_provider_that_its_settings_name(templates: Templates) -> None:
    for function in templates("prod")["records-prod-payments"].all("Lambda::Function"):
        variables = function.properties["Environment"]["Variables"]
        assert variables["PAYMENT_PROVIDER_URL"] == SETTINGS["prod"]["payments.payment_provider"]
        assert "PAYMENT_PROVIDER_AUTH" not in variables


def test_in_prod_the_functions_that_charge_may_read_the_providers_credential_and_nobody_else_may(
    templates: Templates,
) -> None:
    secret = SETTINGS["prod"]["payments.payment_credential"]
    readers = {}
    for template in templates("prod").values():
        for function in template.all("Lambda::Function"):
            allowed = [
                listed(statement["Resource"])
                for statement in template.statements(function)
                if any(
                    action.startswith("secretsmanager:") for action in listed(statement["Action"])
                )
            ]
            if allowed:
                readers[function.name] = allowed
                variables = function.properties["Environment"]["Variables"]
                assert variables["PAYMENT_PROVIDER_SECRET"] == secret
    assert readers == {
        named("prod", "payments"): [[secret]],
        named("prod", "payments-refund"): [[secret]],
    }


@pytest.mark.parametrize("stage", STAGES)
def test_no_stack_exports_anything_to_another(templates: Templates, stage: str) -> None:
    for template in templates(stage).values():
        outputs: dict[str, Any] = dict(template.body.get("Outputs", {}))
        assert not any("Export" in output for output in outputs.values())
        assert "Fn::ImportValue" not in texts(template.body)


@pytest.mark.parametrize("stage", STAGES)
def test_no_two_resources_of_the_system_have_the_same_name(
    templates: Templates, stage: str
) -> None:
    for kind, (name, limit) in NAMES.items():
        names = Counter(
            resource.properties[name]
            for template in templates(stage).values()
            for resource in template.all(kind)
        )
        assert not [name for name, count in names.items() if count > 1]
        assert all(len(name) <= limit for name in names)


@pytest.mark.parametrize("stage", STAGES)
def test_every_name_begins_with_the_project_and_the_stage(templates: Templates, stage: str) -> None:
    for stack, template in templates(stage).items():
        assert stack.startswith(named(stage, ""))
        for kind, (name, _) in NAMES.items():
            for resource in template.all(kind):
                assert bus_name(stage) in resource.properties[name]


def test_an_unknown_stage_is_refused_in_one_line(tmp_path: Path) -> None:
    result = run_app({"stage": "Production"}, tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("A stage can't be called 'Production': ")
    assert len(result.stderr.splitlines()) == 1


def test_all_missing_settings_of_prod_are_named_at_once(tmp_path: Path) -> None:
    result = run_app({"stage": "prod"}, tmp_path)
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert [line.partition(" in the stage prod.")[0] for line in lines] == [
        "The service notifications needs the setting mail_from",
        "The service notifications needs the setting mail_to",
        "The service payments needs the setting payment_provider",
        "The service payments needs the setting payment_credential",
    ]


def test_an_error_in_a_service_is_reported_in_one_line(tmp_path: Path) -> None:
    for name in ("app.py", "cdk.json", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("contracts", "functions", "stacks"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "stacks" / "nothing.py").write_text('"""No service."""\n')

    result = run_app({"stage": "dev"}, tmp_path / "out", root=tmp_path)

    assert result.returncode == 1
    assert (
        result.stderr
        == "stacks/nothing.py defines 0 services: define exactly one in each module.\n"
    )
