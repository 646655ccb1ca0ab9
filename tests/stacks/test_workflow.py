"""A state machine as its service has it, in every stage; and a bad one, which fails the synth."""

import json
import shutil
from pathlib import Path

import pytest

from patchbay.project.root import ROOT
from patchbay.topology.consumers import starters
from patchbay.topology.template import Resource
from tests.stacks.conftest import Templates
from tests.synthesis import SETTINGS, run_app

STAGES = ("local", "dev", "prod")


def the_machine(templates: Templates, stage: str) -> Resource:
    (machine,) = templates(stage)[f"records-{stage}-fulfilment"].all("StepFunctions::StateMachine")
    return machine


@pytest.mark.parametrize(("stage", "logged"), [("local", True), ("dev", True), ("prod", False)])
def test_customers_data_is_not_in_prods_logs(
    stage: str, logged: bool, templates: Templates
) -> None:
    logging = the_machine(templates, stage).properties["LoggingConfiguration"]
    assert logging["IncludeExecutionData"] is logged


@pytest.mark.parametrize("stage", STAGES)
def test_the_state_machine_is_of_type_standard(stage: str, templates: Templates) -> None:
    assert the_machine(templates, stage).properties["StateMachineType"] == "STANDARD"


@pytest.mark.parametrize("stage", STAGES)
def test_its_consumer_alone_may_start_it(stage: str, templates: Templates) -> None:
    (starter,) = starters(the_machine(templates, stage))
    assert starter.name == f"records-{stage}-fulfilment"
    for template in templates(stage).values():
        starting = [each for each in template.grants() if "states:StartExecution" in each.actions]
        assert len(starting) == (template.stack == starter.stack)


def test_an_invalid_definition_fails_the_synth_with_the_reason_and_no_traceback(
    tmp_path: Path,
) -> None:
    for name in ("app.py", "cdk.json", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("contracts", "functions", "stacks"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "layers").symlink_to(ROOT / "build" / "layers")
    file = tmp_path / "functions/fulfilment/workflow.asl.json"
    definition = json.loads(file.read_text())
    definition["States"]["WhyNotReleased"]["Default"] = "WaitForRelease"
    del definition["States"]["WaitToRelease"]
    file.write_text(json.dumps(definition))

    result = run_app(SETTINGS["dev"], tmp_path / "out", root=tmp_path)

    assert result.returncode == 1
    assert result.stderr == (
        "functions/fulfilment/workflow.asl.json does not define a valid state machine:\n"
        "The state WhyNotReleased leads to 'WaitForRelease', which does not exist.\n"
    )

    file.unlink()
    result = run_app(SETTINGS["dev"], tmp_path / "out", root=tmp_path)
    assert result.stderr == (
        "There is no functions/fulfilment/workflow.asl.json for the workflow fulfilment: write its "
        "definition there.\n"
    )
