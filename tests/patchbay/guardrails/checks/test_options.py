"""The diary service, which is ordered and scheduled, with one thing broken."""

import copy
from typing import Any

import pytest

from contracts.diary import DayClosed
from patchbay.guardrails.guard import findings
from patchbay.topology.template import Template, listed
from tests.patchbay.greenhouse import templates
from tests.patchbay.guardrails.broken import EVENTS

STACK = "greenhouse-dev-diary"
OURS = {"order", "relay", "schedule", "schedule-role"}


class DiaryTemplate:
    """A copy of the diary's template to break, among the others."""

    def __init__(self, templates: dict[str, Template]) -> None:
        self.body: dict[str, Any] = copy.deepcopy(dict(templates[STACK].body))
        self._others = {name: each for name, each in templates.items() if name != STACK}

    def the(self, kind: str, part: str = "") -> dict[str, Any]:
        """Return the properties of the only resource of a kind with that prefix of its id."""
        (found,) = (
            body["Properties"]
            for name, body in self.body["Resources"].items()
            if body["Type"] == f"AWS::{kind}" and name.startswith(part)
        )
        properties: dict[str, Any] = found
        return properties

    def found(self) -> list[str]:
        broken = {**self._others, STACK: Template(STACK, self.body)}
        found = findings(broken, (*EVENTS, DayClosed))
        return [each.text for each in found if each.check in OURS]


@pytest.fixture
def diary() -> DiaryTemplate:
    return DiaryTemplate(templates("dev"))


def test_the_samples_templates_have_no_findings(diary: DiaryTemplate) -> None:
    assert diary.found() == []


def test_a_rule_without_a_message_group_for_a_fifo_queue_is_found(diary: DiaryTemplate) -> None:
    (target,) = diary.the("Events::Rule", "PagesConsumer")["Targets"]
    del target["SqsParameters"]
    (text,) = diary.found()
    assert text.startswith(
        "Rule greenhouse-dev-diary-pages-greenhouse-alerts sets no message group for "
        "greenhouse-dev-diary-pages-intake.fifo, a FIFO queue"
    )


def test_a_fifo_queue_without_content_based_deduplication_is_found(
    diary: DiaryTemplate,
) -> None:
    del diary.the("SQS::Queue", "PagesConsumerIntakeQueue")["ContentBasedDeduplication"]
    (text,) = diary.found()
    assert text.endswith("could deliver nothing. Set ContentBasedDeduplication.")


def test_a_fifo_queue_without_a_sender_is_found(diary: DiaryTemplate) -> None:
    del diary.the("Lambda::Function", "PagesRelay")["Environment"]["Variables"]["RELAYS_TO"]
    assert (
        "Queue greenhouse-dev-diary-pages.fifo is a FIFO queue, but neither a rule nor a relay "
        "sends to it: its consumer would never receive an event. Pass `ordered_by=` in its service."
    ) in diary.found()


def test_a_relay_that_may_not_send_is_found(diary: DiaryTemplate) -> None:
    statements = diary.the("IAM::Policy", "PagesRelay")["PolicyDocument"]["Statement"]
    statements[:] = [s for s in statements if "sqs:SendMessage" not in listed(s["Action"])]
    assert diary.found() == [
        "Relay greenhouse-dev-diary-pages-relay may not send to greenhouse-dev-diary-pages.fifo: "
        "no event would arrive. Allow it sqs:SendMessage there."
    ]


def test_a_function_that_may_send_past_the_relay_is_found(diary: DiaryTemplate) -> None:
    relay = diary.the("IAM::Policy", "PagesRelay")["PolicyDocument"]["Statement"]
    (statement,) = (s for s in relay if "sqs:SendMessage" in listed(s["Action"]))
    diary.the("IAM::Policy", "FrostFunction")["PolicyDocument"]["Statement"].append(statement)
    (text,) = diary.found()
    assert text.startswith("Function greenhouse-dev-diary-frost may send to")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            lambda s: s["Target"].pop("DeadLetterConfig"),
            "has no dead-letter queue for a run that it can't",
        ),
        (lambda s: s["Target"].pop("RetryPolicy"), "does not set how often to retry"),
        (
            lambda s: s["Target"].update(Input="{}"),
            "does not pass its runs the time when they were due",
        ),
        (lambda s: s["FlexibleTimeWindow"].update(Mode="FLEXIBLE"), "has a flexible time window"),
        (lambda s: s.pop("ScheduleExpressionTimezone"), "has no time zone"),
        (lambda s: s["Target"].update(RoleArn="arn:else"), "has a role that is not in its stack"),
    ],
)
def test_a_schedule_that_would_lose_or_mistake_a_run_is_found(
    change: Any, text: str, diary: DiaryTemplate
) -> None:
    change(diary.the("Scheduler::Schedule"))
    assert any(
        each.startswith(f"Schedule greenhouse-dev-diary-close {text}") for each in diary.found()
    )


def test_a_scheduled_function_that_keeps_no_failed_run_is_found(diary: DiaryTemplate) -> None:
    del diary.the("Lambda::EventInvokeConfig")["DestinationConfig"]
    (text,) = diary.found()
    assert "runs greenhouse-dev-diary-close, which keeps nothing of a run that fails" in text


def test_a_role_that_any_schedule_may_assume_is_found(diary: DiaryTemplate) -> None:
    role = diary.the("IAM::Role", "CloseSchedule")
    del role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    (text,) = diary.found()
    assert "may be assumed for any schedule, of any account" in text


def test_a_schedules_role_that_may_do_more_is_found(diary: DiaryTemplate) -> None:
    policy = diary.the("IAM::Policy", "CloseSchedule")["PolicyDocument"]["Statement"]
    policy.append({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:another"})
    (text,) = diary.found()
    assert "may do more than invoke its function" in text
