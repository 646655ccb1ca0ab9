"""The guardrails: a finding fails the synth, unless it is accepted where it is, with a reason."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_sqs as sqs
from constructs import IConstruct

import stacks.dead_letters
import stacks.guardrails
from contracts.orders import OrderPlaced
from stacks.guardrails import accept, guard
from stacks.service import Service
from stacks.stage import Stage
from tests.stacks.apps import app_for


class Loyalty(Service):
    """Handles OrderPlaced."""

    @classmethod
    def service_name(cls) -> str:
        return "notifications"  # whose handler is there

    def compose(self) -> None:
        self.consumer(on=[OrderPlaced])


def accept_nothing(_: IConstruct, __: Mapping[str, str]) -> None:
    """What `accept` is where nothing was accepted."""


def synth(app: App) -> None:
    Loyalty(app, Stage.of(app))
    guard(app)
    app.synth()


def test_a_consumer_has_no_findings_but_those_that_it_accepts(tmp_path: Path) -> None:
    synth(app_for("dev", tmp_path))


def test_what_is_not_accepted_fails_the_synth_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stacks.dead_letters, "accept", accept_nothing)
    with pytest.raises(RuntimeError) as failure:
        synth(app_for("dev", tmp_path))
    said = str(failure.value) + "".join(capfd.readouterr())
    assert "AwsSolutions-SQS3" in said
    assert "Consumer/Undelivered" in said


def test_accepting_a_finding_on_one_resource_leaves_its_neighbour_to_be_found(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    app = app_for("dev", tmp_path)
    stack = Stack(app, "patchbay-dev-loyalty")
    accepted = sqs.Queue(stack, "Accepted", enforce_ssl=True)
    sqs.Queue(stack, "Neighbour", enforce_ssl=True)
    accept(accepted, {"AwsSolutions-SQS3": "It is where dead letters end."})
    guard(app)
    with pytest.raises(RuntimeError) as failure:
        app.synth()
    said = str(failure.value) + "".join(capfd.readouterr())
    assert "Neighbour" in said
    assert "Accepted" not in said
