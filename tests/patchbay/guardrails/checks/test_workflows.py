"""State machines: their error handling, their logs and traces, and their alarms."""

from typing import Any

import pytest

from patchbay.guardrails.finding import Finding
from patchbay.topology.template import Template
from tests.patchbay.greenhouse import templates
from tests.patchbay.guardrails.broken import SERVICES, STAGE, Broken, accepted_by

NAME = "greenhouse-dev-watering"


class WithWatering(Broken):
    """The templates of the sample, and its state machine `watering`."""

    @property
    def machine(self) -> dict[str, Any]:
        """Return the properties of the state machine."""
        found: dict[str, Any] = self.the("StepFunctions::StateMachine", "watering").body[
            "Properties"
        ]
        return found

    def found(self) -> list[Finding]:
        """Return the findings that are neither accepted nor warnings."""
        return [each for each in super().found() if not each.warning]


@pytest.fixture
def dev() -> WithWatering:
    return WithWatering(templates(STAGE), accepted_by(*SERVICES))


def test_the_samples_own_state_machine_passes(dev: WithWatering) -> None:
    assert dev.found() == []


def test_a_mistake_in_a_definition_is_found(dev: WithWatering) -> None:
    text = dev.machine["DefinitionString"]
    dev.machine["DefinitionString"] = text.replace(
        '"Default": "PublishBedNotWatered"', '"Default": "No"'
    )
    found = [finding.text for finding in dev.found()]
    problem = "The state WhyNotChecked leads to 'No', which does not exist."
    assert f"State machine {NAME}: {problem}" in found
    assert {finding.id for finding in dev.found()} == {"workflow"}


def test_a_task_that_is_not_tried_again_is_found(dev: WithWatering) -> None:
    text = dev.machine["DefinitionString"]
    assert text.count('"JitterStrategy": "FULL"') == 4
    dev.machine["DefinitionString"] = text.replace(', "JitterStrategy": "FULL"', "")
    assert [finding.id for finding in dev.found()] == ["workflow"] * 4


def test_a_definition_that_only_cloudformation_can_read_is_found(dev: WithWatering) -> None:
    dev.machine["DefinitionString"] = {"Fn::Join": ["", ["{", {"Ref": "Anything"}, "}"]]}
    dev.finds(
        "workflow",
        f"State machine {NAME} has a definition that only CloudFormation can put together, so it "
        "can't be checked. Write it in a file of its own, with substitutions for what only "
        "CloudFormation knows.",
    )


@pytest.mark.parametrize(
    "logging", [{}, {"Level": "ERROR"}, {"Level": "ALL"}, {"Level": "ALL", "Destinations": [{}]}]
)
def test_a_state_machine_that_does_not_log_is_found(
    logging: dict[str, Any], dev: WithWatering
) -> None:
    dev.machine["LoggingConfiguration"] = logging
    dev.finds(
        "workflow-trail[logs]",
        f"State machine {NAME} does not log all events to a log group of its stack: after 90 "
        "days, an execution's history would be gone. Set its LoggingConfiguration, with level ALL.",
    )


def test_a_state_machine_that_is_not_traced_is_found(dev: WithWatering) -> None:
    dev.machine["TracingConfiguration"]["Enabled"] = False
    dev.finds(
        "workflow-trail[traces]",
        f"State machine {NAME} is not traced: its calls would be missing from an event's journey. "
        "Set its TracingConfiguration.",
    )


@pytest.mark.parametrize(
    ("alarm", "metric"),
    [
        ("failed", "ExecutionsFailed"),
        ("timed-out", "ExecutionsTimedOut"),
        ("aborted", "ExecutionsAborted"),
    ],
)
@pytest.mark.parametrize("change", [{"AlarmActions": []}, {"Threshold": 2}, {"Dimensions": []}])
def test_an_execution_that_ends_badly_and_unseen_is_found(
    change: dict[str, Any], alarm: str, metric: str, dev: WithWatering
) -> None:
    dev.alarm(f"watering-{alarm}").update(change)
    dev.finds(
        f"workflow-alarm[{metric}]",
        f"State machine {NAME} has no alarm on its {metric} with a threshold of 1 and an action: "
        "its work would stay undone, unnoticed. Add one.",
    )


def test_a_state_machine_that_could_publish_anything_is_found(dev: WithWatering) -> None:
    machine = dev.the("StepFunctions::StateMachine", "watering")
    template: Template = machine.template
    (grant,) = (
        grant
        for grant in template.grants()
        if grant.role == template.at(machine.properties["RoleArn"])
        and "events:PutEvents" in grant.actions
    )
    statement: Any = grant.statement
    del statement["Condition"]
    assert dev.found()[0].text.startswith(f"State machine {NAME} may publish any event")


def test_an_event_that_comes_back_through_a_state_machine_is_found(dev: WithWatering) -> None:
    rule = dev.rule("watering-greenhouse-alerts")
    rule["EventPattern"] = {"source": ["greenhouse.watering"], "detail-type": ["BedWatered"]}
    assert "loop" in {finding.id for finding in dev.found()}
