"""The guardrails: a finding fails the synth, unless it is accepted where it is, with a reason."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_sqs as sqs
from constructs import IConstruct

import patchbay.constructs.queues
from contracts.orders import OrderPlaced
from patchbay.constructs.service import Service
from patchbay.guardrails.acceptance import read
from patchbay.guardrails.finding import name_of
from patchbay.guardrails.guard import (
    CHECKS,
    BadAcceptance,
    Unsafe,
    accept,
    findings,
    guard,
    unaccepted,
)
from patchbay.project.root import ROOT
from tests.apps import app_for
from tests.stacks.conftest import Templates
from tests.synthesis import SETTINGS, assembly, run_app


class Loyalty(Service):
    """Handles OrderPlaced."""

    @classmethod
    def service_name(cls) -> str:
        return "notifications"  # whose handler is there

    def compose(self) -> None:
        self.consumer(on=[OrderPlaced])
        alone = {"published[OrderPlaced]": "It is alone in its app."}
        accept(self.node.find_child("Consumer"), alone)


def accept_nothing(_: IConstruct, __: Mapping[str, str]) -> None:
    """What `accept` is where nothing was accepted."""


def synth(app: App) -> None:
    Loyalty(app)
    guard(app)


@pytest.mark.parametrize("stage", ["local", "dev", "prod"])
def test_nothing_stands_in_the_way_of_what_is_deployed(stage: str, templates: Templates) -> None:
    standing = unaccepted(findings(templates(stage)), read(assembly(stage)))
    assert [finding.text for finding in standing if not finding.warning] == []


def test_a_consumer_has_no_findings_but_those_that_it_accepts_and_a_warning_fails_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    synth(app_for("dev", tmp_path))
    said = capsys.readouterr().err
    assert said.startswith("Worth knowing: ")
    assert "Event PaymentTaken is in the contracts, and nobody publishes or consumes it." in said


def test_what_is_not_accepted_fails_the_synth_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patchbay.constructs.queues, "accept", accept_nothing)
    with pytest.raises(Unsafe) as failure:
        synth(app_for("dev", tmp_path))
    assert "AwsSolutions-SQS3" in str(failure.value)
    assert "Consumer/Undelivered" in str(failure.value)


def test_accepting_a_finding_on_one_resource_leaves_its_neighbour_to_be_found(
    tmp_path: Path,
) -> None:
    app = app_for("dev", tmp_path)
    stack = Stack(app, "records-dev-loyalty")
    accepted = sqs.Queue(stack, "Accepted", queue_name="records-dev-accepted")
    sqs.Queue(stack, "Neighbour", queue_name="records-dev-neighbour")
    reason = "It is where dead letters end."
    accept(accepted, {"AwsSolutions-SQS3": reason, "AwsSolutions-SQS4": reason, "tls": reason})
    with pytest.raises(Unsafe) as failure:
        guard(app)
    said = str(failure.value)
    assert "Queue records-dev-neighbour takes requests without TLS" in said
    assert "records-dev-loyalty/Neighbour" in said
    assert "tls at records-dev-loyalty/Accepted" not in said


def test_a_whole_stack_accepts_nothing(tmp_path: Path) -> None:
    stack = Stack(app_for("dev", tmp_path), "records-dev-loyalty")
    with pytest.raises(BadAcceptance, match="records-dev-loyalty is a whole stack"):
        accept(stack, {"tls": "It is safe."})


def test_nothing_is_accepted_without_a_reason(tmp_path: Path) -> None:
    queue = sqs.Queue(Stack(app_for("dev", tmp_path), "records-dev-loyalty"), "Queue")
    with pytest.raises(BadAcceptance, match="Queue accepts tls without a reason: say why"):
        accept(queue, {"tls": " "})


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_the_docs_tell_of_every_check(check: patchbay.guardrails.finding.Check) -> None:
    assert f"| `{name_of(check)}` |" in (ROOT / "docs" / "guardrails.md").read_text()


SHORT_SIGHTED = '''\
"""A service whose queue is too short-sighted for its function."""

from contracts.orders import OrderPlaced
from patchbay.constructs.service import Service


class Shortsighted(Service):
    """Handles OrderPlaced."""

    def compose(self) -> None:
        self.consumer(on=[OrderPlaced])
        queue = self.node.find_child("Consumer").node.find_child("Queue")
        queue.node.default_child.visibility_timeout = 120
'''


def test_a_mistake_fails_the_app_with_its_sentence_and_without_a_traceback(tmp_path: Path) -> None:
    for name in ("app.py", "cdk.json", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("contracts", "functions", "stacks"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "layers").symlink_to(ROOT / "build" / "layers")
    shutil.copytree(tmp_path / "functions/notifications", tmp_path / "functions/shortsighted")
    (tmp_path / "stacks" / "shortsighted.py").write_text(SHORT_SIGHTED)

    result = run_app(SETTINGS["dev"], tmp_path / "out", root=tmp_path)

    assert result.returncode == 1
    assert result.stderr == (
        "Not to be deployed as it is: 1 finding (docs/guardrails.md).\n"
        "\n"
        "records-dev-shortsighted\n"
        "  Queue records-dev-shortsighted is shorter-sighted than its function: visibility 120 s, "
        "timeout 60 s; a message would be handled twice. Use at least 360 s.\n"
        "    visibility at records-dev-shortsighted/Consumer/Queue/Resource\n"
    )
