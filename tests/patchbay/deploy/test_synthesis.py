from pathlib import Path

import pytest

from patchbay.deploy import synthesis
from patchbay.deploy.synthesis import content_key, synthesize

SETTINGS = {"stage": "local"}
SOURCES = (
    "app.py",
    "pyproject.toml",
    "contracts/sensors.py",
    "functions/alerts/handler.py",
    "functions/alerts/words.txt",
    "stacks/a.py",
    "helpers/naming.py",
)
OTHERS = ("README.md", "tests/test_alerts.py", "data/readings.csv", ".venv/lib.py", "build/a.py")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in (*SOURCES, *OTHERS):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    return tmp_path


def test_the_same_content_has_the_same_key(project: Path) -> None:
    assert content_key(SETTINGS, project) == content_key(SETTINGS, project)


@pytest.mark.parametrize("name", SOURCES)
def test_a_change_to_any_source_changes_the_key(project: Path, name: str) -> None:
    before = content_key(SETTINGS, project)
    (project / name).write_text("2")
    assert content_key(SETTINGS, project) != before


@pytest.mark.parametrize("name", OTHERS)
def test_a_change_to_a_file_that_no_stack_imports_does_not_change_the_key(
    project: Path, name: str
) -> None:
    before = content_key(SETTINGS, project)
    (project / name).write_text("2")
    assert content_key(SETTINGS, project) == before


def test_a_change_to_the_package_changes_the_key(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path_factory.mktemp("site-packages")
    (package / "module.py").write_text("1")
    monkeypatch.setattr(synthesis, "PACKAGE", package)
    before = content_key(SETTINGS, project)
    (package / "module.py").write_text("2")
    assert content_key(SETTINGS, project) != before


def test_a_new_file_and_a_renamed_one_change_the_key(project: Path) -> None:
    keys = {content_key(SETTINGS, project)}
    (project / "stacks" / "b.py").write_text("1")
    keys.add(content_key(SETTINGS, project))
    (project / "stacks" / "b.py").rename(project / "stacks" / "c.py")
    keys.add(content_key(SETTINGS, project))
    assert len(keys) == 3


def test_a_setting_of_the_stage_changes_the_key(project: Path) -> None:
    other = SETTINGS | {"sensors.weather_station": "https://127.0.0.1:4567"}
    assert content_key(other, project) != content_key(SETTINGS, project)


def test_compiled_python_files_do_not_change_the_key(project: Path) -> None:
    before = content_key(SETTINGS, project)
    (project / "stacks" / "__pycache__").mkdir()
    (project / "stacks" / "__pycache__" / "a.pyc").write_text("1")
    assert content_key(SETTINGS, project) == before


class Synthesizer:
    """Stands in for the CDK CLI, which takes seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs: list[dict[str, str]] = []
        monkeypatch.setattr(synthesis, "_synthesize", self._synthesize)

    def _synthesize(self, settings: dict[str, str], out: Path) -> None:
        self.runs.append(settings)
        out.mkdir()


@pytest.fixture
def synthesizer(monkeypatch: pytest.MonkeyPatch) -> Synthesizer:
    return Synthesizer(monkeypatch)


def test_an_unchanged_app_is_synthesized_once(synthesizer: Synthesizer, tmp_path: Path) -> None:
    assert synthesize("local", {}, tmp_path) == synthesize("local", {}, tmp_path)
    assert synthesizer.runs == [{"stage": "local"}]


def test_two_settings_have_two_assemblies_side_by_side(
    synthesizer: Synthesizer, tmp_path: Path
) -> None:
    first = synthesize("local", {"alerts.sender": "a@example.com"}, tmp_path)
    second = synthesize("local", {"alerts.sender": "b@example.com"}, tmp_path)
    assert first != second
    assert first.exists()
    assert second.exists()


def test_an_interrupted_assembly_is_synthesized_again(
    synthesizer: Synthesizer, tmp_path: Path
) -> None:
    (synthesize("local", {}, tmp_path) / synthesis.STAMP).unlink()
    synthesize("local", {}, tmp_path)
    assert len(synthesizer.runs) == 2


def test_only_the_latest_used_assemblies_are_kept(synthesizer: Synthesizer, tmp_path: Path) -> None:
    made = [synthesize("local", {"n": str(n)}, tmp_path) for n in range(synthesis.KEPT + 2)]
    assert [path.exists() for path in made] == [False] * 2 + [True] * synthesis.KEPT
