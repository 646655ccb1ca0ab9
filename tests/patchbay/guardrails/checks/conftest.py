"""The real templates, to be broken."""

import pytest

from patchbay.guardrails.acceptance import Acceptances, read
from patchbay.project.naming import named
from tests.patchbay.guardrails.broken import SERVICES, STAGE, Broken
from tests.stacks.conftest import Templates
from tests.synthesis import assembly


@pytest.fixture(scope="session")
def accepted() -> Acceptances:
    """What the shop's own constructs accept."""
    found = read(assembly(STAGE))
    ours = tuple(f"{named(STAGE, service)}/" for service in SERVICES)
    reasons = {path: names for path, names in found.reasons.items() if path.startswith(ours)}
    return Acceptances(found.paths, reasons)


@pytest.fixture
def dev(templates: Templates, accepted: Acceptances) -> Broken:
    return Broken(templates(STAGE), accepted)
