"""The events of a small greenhouse, in any project in which these tests run."""

from pathlib import Path

import pytest

from patchbay.cli.develop import add
from patchbay.events import catalogue

GREENHOUSE = Path(__file__).parent / "greenhouse"


@pytest.fixture(autouse=True)
def greenhouse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the catalogue hold only the greenhouse's contracts."""
    monkeypatch.syspath_prepend(str(GREENHOUSE))
    monkeypatch.setattr(catalogue, "_CONTRACTS", GREENHOUSE / "contracts")


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that `patchbay add` takes for the project's."""
    folder = tmp_path_factory.mktemp("root")
    monkeypatch.setattr(add, "ROOT", folder)
    return folder
