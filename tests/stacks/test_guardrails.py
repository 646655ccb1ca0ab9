"""The shop's templates pass the guardrails, but for what its constructs accept."""

import pytest

from patchbay.guardrails import cfn_lint
from patchbay.guardrails.acceptance import read
from patchbay.guardrails.guard import NAMES, findings, unaccepted
from tests.stacks.conftest import Templates
from tests.synthesis import assembly


@pytest.mark.parametrize("stage", ["local", "dev", "prod"])
def test_the_templates_have_no_findings(stage: str, templates: Templates) -> None:
    deployed = templates(stage)
    found = [*findings(deployed), *cfn_lint.lint(deployed)]
    standing = unaccepted(found, read(assembly(stage)), [*NAMES, cfn_lint.CHECK])
    assert [finding.text for finding in standing if not finding.warning] == []
