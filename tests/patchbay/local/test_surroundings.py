"""A project's surroundings: the class that pyproject.toml names, and the default."""

from pathlib import Path
from typing import cast

import pytest

from patchbay.errors import UserError
from patchbay.local import surroundings
from patchbay.local.cloud import LocalCloud
from patchbay.local.surroundings import Surroundings
from patchbay.project.project import Project

MODULE = """
from patchbay.local.surroundings import Surroundings

class Greenhouse(Surroundings):
    pass

NOT_A_CLASS = 1
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project's folder with a class of its own in greenhouse_demo.py."""
    (tmp_path / "greenhouse_demo.py").write_text(MODULE)
    monkeypatch.setattr(surroundings, "ROOT", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def naming(local: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    described = Project(
        root=Path(), name="greenhouse", namespace="greenhouse", stages={}, local=local
    )
    monkeypatch.setattr(surroundings, "project", lambda: described)


@pytest.mark.usefixtures("project")
def test_the_class_that_the_project_names_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    naming("greenhouse_demo:Greenhouse", monkeypatch)
    found = surroundings.of_project()
    assert found.__name__ == "Greenhouse"
    assert issubclass(found, Surroundings)


def test_a_project_that_names_none_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    naming(None, monkeypatch)
    assert surroundings.of_project() is Surroundings
    nothing = Surroundings(cast("LocalCloud", None))
    with nothing.started() as settings:
        assert settings == {}
    nothing.after_deploy()
    assert (*nothing.troubles(), *nothing.actions(), *nothing.pages()) == ()


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("greenhouse_nowhere:Greenhouse", "No module named 'greenhouse_nowhere'"),
        ("greenhouse_demo:Shed", "has no attribute 'Shed'"),
        ("greenhouse_demo", '"module:Class"'),
        ("", '"module:Class"'),
        ("greenhouse_demo:NOT_A_CLASS", "must be a subclass of patchbay.local.surroundings"),
    ],
)
def test_a_name_of_no_such_class_is_refused_with_the_reason(
    name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    naming(name, monkeypatch)
    with pytest.raises(UserError) as refused:
        surroundings.of_project()
    assert f'[tool.patchbay] local = "{name}"' in str(refused.value)
    assert message in str(refused.value)
