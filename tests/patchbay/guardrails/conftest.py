"""The sample is the project of these tests."""

import pytest


@pytest.fixture(autouse=True)
def _greenhouse(greenhouse: None) -> None:
    """Have names and sources be the sample's."""
