"""Projects: the configuration in pyproject.toml, and the errors in it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchbay.project.naming import named, parsed
from patchbay.project.project import (
    MAX_NAME,
    MAX_STAGE,
    STAGE_PATTERN,
    BadProject,
    parse,
    project,
)
from patchbay.project.root import find_root

LONGEST_BUCKET = "{name}-{stage}-claims-123456789012-ap-southeast-1"
STAGES = st.from_regex(STAGE_PATTERN, fullmatch=True).filter(lambda it: len(it) <= MAX_STAGE)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,9})?", fullmatch=True)


def test_the_namespace_is_the_name_where_it_is_not_given(tmp_path: Path) -> None:
    assert parse({"name": "green-house"}, tmp_path).namespace == "green_house"
    assert parse({"name": "a", "namespace": "b"}, tmp_path).namespace == "b"


def test_a_stage_may_have_an_account_and_a_region_of_its_own(tmp_path: Path) -> None:
    described = {"live": {"kind": "prod", "account": "1" * 12, "region": "eu-central-1"}}
    stage = parse({"name": "a", "stages": described}, tmp_path).stage("live")
    assert (stage.kind, stage.account, stage.region) == ("prod", "1" * 12, "eu-central-1")
    assert stage.keeps_data


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({}, "A project can't be called None"),
        ({"name": "Big"}, "A project can't be called 'Big'"),
        ({"name": "a" * (MAX_NAME + 1)}, f"{MAX_NAME} at most"),
        ({"name": "a", "namespace": "B"}, "namespace = 'B'"),
        ({"name": "a", "nmae": 1}, "has no option 'nmae'. The options are"),
        ({"name": "a", "stages": {"x": {"kind": "big"}}}, r"stages\.x\] kind = 'big'"),
        ({"name": "a", "stages": {"x": {"account": 123}}}, "account = 123: use 12 digits"),
        ({"name": "a", "stages": {"x": {"acount": "1"}}}, "has no option 'acount'"),
    ],
)
def test_an_invalid_option_is_named(section: dict[str, Any], problem: str, tmp_path: Path) -> None:
    with pytest.raises(BadProject, match=problem):
        parse(section, tmp_path)


def test_a_folder_without_a_project_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BadProject, match="`patchbay new NAME`"):
        project(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    with pytest.raises(BadProject, match="There is no project in"):
        project(tmp_path)


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.patchbay\n")
    with pytest.raises(BadProject, match=r"pyproject\.toml can't be read"):
        project(tmp_path)


def test_the_project_is_found_from_any_of_its_folders(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.patchbay]\nname = "a"\n')
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "b" / "pyproject.toml").write_text("[tool.other]\n")
    assert find_root(tmp_path / "b" / "c") == tmp_path.resolve()


def test_the_longest_names_fit_the_name_of_a_bucket() -> None:
    longest = LONGEST_BUCKET.format(name="n" * MAX_NAME, stage="s" * MAX_STAGE)
    assert len(longest) <= 63


@given(stage=STAGES, name=NAMES)
def test_a_physical_name_can_be_parsed(stage: str, name: str) -> None:
    assert parsed(named(stage, name)) == (stage, name)


@given(one=STAGES, other=STAGES, name=NAMES, another=NAMES)
def test_no_two_stages_share_a_physical_name(one: str, other: str, name: str, another: str) -> None:
    if one != other:
        assert named(one, name) != named(other, another)
