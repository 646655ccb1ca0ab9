"""The guardrails: a finding fails the synth unless its construct accepts it with a reason."""

from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_sqs as sqs

import patchbay.guardrails.finding
from patchbay.guardrails import cfn_lint
from patchbay.guardrails.acceptance import read
from patchbay.guardrails.finding import name_of
from patchbay.guardrails.guard import (
    CHECKS,
    NAMES,
    BadAcceptance,
    Unsafe,
    accept,
    findings,
    guard,
    unaccepted,
)
from patchbay.project.root import ROOT
from tests.patchbay.greenhouse import assembly, copy, run_app, templates
from tests.patchbay.guardrails.broken import every_event

STACK = "greenhouse-dev-notes"


@pytest.fixture
def app(tmp_path: Path) -> App:
    """Create an app without stacks."""
    return App(outdir=str(tmp_path), context={"stage": "dev"}, analytics_reporting=False)


@pytest.mark.parametrize("stage", ["local", "dev", "prod"])
def test_the_deployed_templates_have_no_error(stage: str) -> None:
    deployed = templates(stage)
    found = [*findings(deployed, every_event()), *cfn_lint.lint(deployed)]
    remaining = unaccepted(found, read(assembly(stage)), [*NAMES, cfn_lint.CHECK])
    assert [finding.text for finding in remaining if not finding.warning] == []


def test_accepting_a_finding_on_one_resource_leaves_its_neighbour_to_be_found(app: App) -> None:
    stack = Stack(app, STACK)
    accepted = sqs.Queue(stack, "Accepted", queue_name="greenhouse-dev-accepted")
    sqs.Queue(stack, "Neighbour", queue_name="greenhouse-dev-neighbour")
    reason = "It is where dead letters end."
    accept(accepted, {"AwsSolutions-SQS3": reason, "AwsSolutions-SQS4": reason, "tls": reason})
    with pytest.raises(Unsafe) as failure:
        guard(app)
    message = str(failure.value)
    assert "Queue greenhouse-dev-neighbour takes requests without TLS" in message
    assert f"{STACK}/Neighbour" in message
    assert f"tls at {STACK}/Accepted" not in message


def test_an_error_of_cfn_lint_fails_the_synth_by_name_and_can_be_accepted(app: App) -> None:
    queue = sqs.CfnQueue(Stack(app, STACK), "Queue", delay_seconds=1000)
    with pytest.raises(Unsafe, match=rf"cfn-lint\[E3034\] at {STACK}/Queue"):
        guard(app)
    accept(queue, {"cfn-lint[E3034]": "This account has a quota of its own."})
    with pytest.raises(Unsafe) as failure:
        guard(app)
    assert "E3034" not in str(failure.value)


def test_a_whole_stack_accepts_nothing(app: App) -> None:
    with pytest.raises(BadAcceptance, match=f"{STACK} is a whole stack"):
        accept(Stack(app, STACK), {"tls": "It is safe."})


def test_nothing_is_accepted_without_a_reason(app: App) -> None:
    queue = sqs.Queue(Stack(app, STACK), "Queue")
    with pytest.raises(BadAcceptance, match="Queue accepts tls without a reason: say why"):
        accept(queue, {"tls": " "})


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_the_docs_list_every_check(check: patchbay.guardrails.finding.Check) -> None:
    assert f"| `{name_of(check)}` |" in (ROOT / "docs" / "guardrails.md").read_text()


NOTES = '''\
"""The notes service, alone in its app."""

from aws_cdk import aws_sqs as sqs

from contracts.sensors import ReadingTaken
from patchbay.constructs.service import Service
from patchbay.guardrails.guard import accept


class Notes(Service):
    """Handles ReadingTaken."""

    def compose(self) -> None:
        self.consumer(on=[ReadingTaken])
        consumer = self.node.find_child("Consumer")
        accept(consumer, {"published[ReadingTaken]": "It is alone in its app."})
'''


def alone(folder: Path, added: str = "") -> Path:
    """Create a project with one service, and more code in its `compose`."""
    root = copy(folder)
    for path in (root / "stacks").glob("*.py"):
        if path.stem != "broker":
            path.unlink()
    (root / "stacks" / "notes.py").write_text(NOTES + added)
    return root


def test_a_consumer_has_no_findings_but_those_that_it_accepts_and_a_warning_fails_nothing(
    tmp_path: Path,
) -> None:
    code, errors = run_app({"stage": "dev"}, tmp_path / "out", alone(tmp_path))
    assert code == 0
    assert errors.startswith("Worth knowing: ")
    assert "Event AlertRaised is in the contracts, but nothing publishes or consumes it." in errors


def test_a_finding_that_is_not_accepted_fails_the_synth_by_name(tmp_path: Path) -> None:
    root = alone(tmp_path, added='        sqs.Queue(self, "More", enforce_ssl=True)\n')
    code, errors = run_app({"stage": "dev"}, tmp_path / "out", root)
    assert code == 1
    assert "AwsSolutions-SQS3" in errors
    assert "greenhouse-dev-notes/More" in errors


def test_an_error_fails_the_app_with_its_text_and_without_a_traceback(tmp_path: Path) -> None:
    queue = 'consumer.node.find_child("Queue").node.default_child'
    root = alone(tmp_path, added=f"        {queue}.visibility_timeout = 120\n")
    code, errors = run_app({"stage": "dev"}, tmp_path / "out", root)
    assert code == 1
    assert errors.partition("Not to be deployed")[2] == (
        " as it is: 1 finding (docs/guardrails.md).\n"
        "\n"
        "greenhouse-dev-notes\n"
        "  Queue greenhouse-dev-notes: visibility timeout 120 s is below 6 times the function's "
        "timeout (60 s). A message would be delivered again while it is handled. Set it to at "
        "least 360 s.\n"
        "    visibility at greenhouse-dev-notes/Consumer/Queue/Resource\n"
    )


def test_a_package_that_the_layer_lacks_fails_the_app_by_name(tmp_path: Path) -> None:
    root = alone(tmp_path)
    handler = root / "functions" / "notes" / "handler.py"
    handler.write_text(f"{handler.read_text()}\nimport rich\n")
    code, errors = run_app({"stage": "dev"}, tmp_path / "out", root)
    assert code == 1
    assert errors == (
        "functions/notes/handler.py imports rich, which is not in the layer: add it to "
        "functions/requirements.in and run `make lock`.\n"
    )
