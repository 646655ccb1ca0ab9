import subprocess
from pathlib import Path

import pytest

from patchbay.errors import UserError
from patchbay.local import environment
from patchbay.local.environment import ensure


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """Requirements that need no registry."""
    path = tmp_path / "requirements.txt"
    path.write_text("# nothing\n")
    return path


def test_the_environment_has_an_interpreter_that_runs(tmp_path: Path, requirements: Path) -> None:
    python = ensure(tmp_path / "environment", requirements)
    subprocess.run([str(python), "-c", "pass"], check=True)


def test_it_is_built_once(
    tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "environment"
    ensure(folder, requirements)
    monkeypatch.setattr(environment, "_uv", _never)
    ensure(folder, requirements)


def _never(*arguments: str) -> None:
    pytest.fail(f"uv was run: {arguments}")


def test_it_is_built_again_when_its_requirements_change(tmp_path: Path, requirements: Path) -> None:
    folder = tmp_path / "environment"
    ensure(folder, requirements)
    left = folder / "left-from-before"
    left.touch()
    requirements.write_text("# still nothing\n")
    ensure(folder, requirements)
    assert not left.exists()


def test_the_old_environment_stays_if_a_new_one_can_not_be_built(
    tmp_path: Path, requirements: Path
) -> None:
    folder = tmp_path / "environment"
    python = ensure(folder, requirements)
    requirements.write_text("a-package-without-hash==1.0\n")
    with pytest.raises(UserError, match="Connect to the network, and run the command again"):
        ensure(folder, requirements)
    subprocess.run([str(python), "-c", "pass"], check=True)
    requirements.write_text("# nothing\n")
    assert ensure(folder, requirements) == python
    assert [path.name for path in tmp_path.glob("environment*")] == ["environment"]


def test_it_is_built_again_when_its_python_is_gone(tmp_path: Path, requirements: Path) -> None:
    python = ensure(tmp_path / "environment", requirements)
    python.unlink()
    subprocess.run([str(ensure(tmp_path / "environment", requirements)), "-c", "pass"], check=True)


def test_it_is_built_again_after_a_failure(tmp_path: Path, requirements: Path) -> None:
    folder = tmp_path / "environment"
    requirements.write_text("a-package-without-hash==1.0\n")
    with pytest.raises(UserError, match="can't be built"):
        ensure(folder, requirements)
    requirements.write_text("# nothing\n")
    assert ensure(folder, requirements).exists()
