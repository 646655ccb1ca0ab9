"""The sample project stands for any: nothing in it is left for the guardrails to find."""

import pytest

from tests.patchbay.greenhouse import templates


@pytest.mark.parametrize("stage", ["local", "dev", "prod"])
def test_the_sample_has_a_stack_for_each_service(stage: str) -> None:
    services = {stack.rpartition("-")[2] for stack in templates(stage)}
    assert services == {
        "alerts", "broker", "charts", "climate", "diary", "notes", "sensors", "watering",
    }  # fmt: skip
