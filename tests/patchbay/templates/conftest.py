"""The events of a small greenhouse, whatever the project is in which the tests run."""

from pathlib import Path

import pytest

from patchbay.cli.develop import add
from patchbay.events import catalogue

GREENHOUSE = Path(__file__).parent / "greenhouse"


@pytest.fixture(autouse=True)
def greenhouse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the catalogue hold its contracts, and no others."""
    monkeypatch.syspath_prepend(str(GREENHOUSE))
    monkeypatch.setattr(catalogue, "_CONTRACTS", GREENHOUSE / "contracts")


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `patchbay add` takes itself to be."""
    folder = tmp_path_factory.mktemp("root")
    monkeypatch.setattr(add, "ROOT", folder)
    return folder
