"""The parametrization of tests with an `event`: one run for each event of the contracts."""

import pytest

from patchbay.events.catalogue import events


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize `event` by the contracts."""
    if "event" in metafunc.fixturenames:
        found = events()
        metafunc.parametrize("event", list(found.values()), ids=list(found))
