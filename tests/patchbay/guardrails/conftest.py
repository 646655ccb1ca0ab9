"""Fixture of all these tests: the sample is their project."""

import pytest


@pytest.fixture(autouse=True)
def _greenhouse(greenhouse: None) -> None:
    """Use the sample's names and sources."""
