"""A stage: what the app's context names, and what follows from its kind."""

from pathlib import Path

import pytest
from aws_cdk import RemovalPolicy

from patchbay.constructs.stage import NoStage, bus_name, named, removal_policy, stage_of
from patchbay.project.project import BadStage, project
from tests.patchbay.apps import app_for


@pytest.mark.parametrize("stage", ["local", "dev", "prod", "alice", "pr-17"])
def test_every_name_begins_with_the_project_and_the_stage(stage: str, tmp_path: Path) -> None:
    app = app_for(stage, tmp_path)
    assert named(app, "alerts") == f"{project().name}-{stage}-alerts"
    assert bus_name(app) == f"{project().name}-{stage}"


@pytest.mark.parametrize(("stage", "kind"), [("local", "local"), ("prod", "prod"), ("bob", "dev")])
def test_a_stages_kind_follows_from_its_name(stage: str, kind: str, tmp_path: Path) -> None:
    assert stage_of(app_for(stage, tmp_path)).kind == kind


@pytest.mark.parametrize("name", ["Dev", "dev ", "a-b", "-a", "a" * 13])
def test_an_invalid_stage_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadStage, match=f"A stage can't be called {name!r}"):
        stage_of(app_for(name, tmp_path))


def test_an_app_without_a_stage_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(NoStage, match="-c stage=dev"):
        stage_of(app_for("", tmp_path))


def test_only_prod_keeps_its_data(tmp_path: Path) -> None:
    kept = {each: removal_policy(app_for(each, tmp_path)) for each in ("local", "dev", "prod")}
    assert kept == {
        "local": RemovalPolicy.DESTROY,
        "dev": RemovalPolicy.DESTROY,
        "prod": RemovalPolicy.RETAIN,
    }
