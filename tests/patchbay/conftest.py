"""Fixtures for the tests of the package, which know no project but the sample one."""

from collections.abc import Iterator

import pytest

from patchbay.project.project import project
from tests.patchbay.greenhouse import SAMPLE


@pytest.fixture
def greenhouse(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the sample be the project of this process, with its name and its namespace."""
    monkeypatch.setattr(project.__wrapped__, "__defaults__", (SAMPLE,))
    project.cache_clear()
    yield
    project.cache_clear()
