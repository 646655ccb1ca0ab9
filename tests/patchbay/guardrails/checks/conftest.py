"""The fixture `dev`: copies of the sample's templates to break."""

import pytest

from tests.patchbay.greenhouse import templates
from tests.patchbay.guardrails.broken import SERVICES, STAGE, Broken, accepted_by


@pytest.fixture
def dev() -> Broken:
    return Broken(templates(STAGE), accepted_by(*SERVICES))
