"""A project names its invariants in its pyproject.toml."""

import sys
from pathlib import Path

import pytest

from patchbay.errors import UserError
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.invariants import Invariants, of_project


def project_in(folder: Path, isolation: str = "") -> Path:
    line = f'isolation = "{isolation}"\n' if isolation else ""
    (folder / "pyproject.toml").write_text(f'[tool.patchbay]\nname = "greenhouse"\n{line}')
    return folder


def test_a_project_without_invariants_has_the_default_ones(tmp_path: Path) -> None:
    invariants = of_project(project_in(tmp_path))
    assert type(invariants) is Invariants
    assert invariants.cloud_type is Cloud


def test_the_named_class_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from patchbay.testkit.invariants import Invariants\nclass Tanks(Invariants): ...\n"
    (tmp_path / "tanks_of_a_test.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        invariants = of_project(project_in(tmp_path, "tanks_of_a_test:Tanks"))
    finally:
        sys.modules.pop("tanks_of_a_test", None)
    assert type(invariants).__name__ == "Tanks"


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("no_such_module:Tanks", "can't be imported"),
        ("json:Tanks", "can't be imported"),
        ("json", "can't be imported"),
        ("json:JSONDecoder", "is no subclass of"),
        ("json:loads", "is no subclass of"),
    ],
)
def test_a_wrong_class_is_named_with_its_place(named: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"pyproject.toml has `isolation = '{named}'`.*{why}"):
        of_project(project_in(tmp_path, named))
