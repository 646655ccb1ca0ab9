"""The synthesized templates of each stage."""

from collections.abc import Callable
from functools import cache

import pytest

from patchbay.topology.template import Template, read
from tests.synthesis import assembly

Templates = Callable[[str], dict[str, Template]]


@pytest.fixture(scope="session")
def templates() -> Templates:
    """Gives every template of a stage, by the name of its stack."""

    @cache
    def of(stage: str) -> dict[str, Template]:
        return read(assembly(stage))

    return of
