"""The synthesized templates of each stage."""

from collections.abc import Callable
from functools import cache

import pytest

from tests.stacks.synthesis import assembly, templates_in
from tests.stacks.template import Template

Templates = Callable[[str], dict[str, Template]]


@pytest.fixture(scope="session")
def templates() -> Templates:
    """Gives every template of a stage, by the name of its stack."""

    @cache
    def of(stage: str) -> dict[str, Template]:
        found = templates_in(assembly(stage))
        return {stack: Template(stack, body) for stack, body in found.items()}

    return of
