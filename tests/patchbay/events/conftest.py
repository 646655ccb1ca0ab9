"""The sample is the project of these tests."""

import pytest

from patchbay.events import catalogue
from tests.patchbay.greenhouse import SAMPLE


@pytest.fixture(autouse=True)
def _greenhouse(greenhouse: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have names, sources and contracts be the sample's."""
    monkeypatch.setattr(catalogue, "_CONTRACTS", SAMPLE / "contracts")
