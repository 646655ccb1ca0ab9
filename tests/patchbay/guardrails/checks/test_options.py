"""What the accounts are made of, ordered and on a schedule, with one thing broken."""

import copy
from typing import Any

import pytest

from patchbay.events.catalogue import events
from patchbay.guardrails.guard import findings
from patchbay.topology.template import Template, listed
from tests.stacks.conftest import Templates

STACK = "records-dev-accounts"
OURS = {"order", "relay", "schedule", "schedule-role"}


class Accounts:
    """The accounts' template, to be broken, among the others."""

    def __init__(self, templates: dict[str, Template]) -> None:
        self.body: dict[str, Any] = copy.deepcopy(dict(templates[STACK].body))
        self._others = {name: each for name, each in templates.items() if name != STACK}

    def the(self, kind: str, part: str = "") -> dict[str, Any]:
        """The properties of the one resource of a kind whose logical id begins like that."""
        (found,) = (
            body["Properties"]
            for name, body in self.body["Resources"].items()
            if body["Type"] == f"AWS::{kind}" and name.startswith(part)
        )
        properties: dict[str, Any] = found
        return properties

    def found(self) -> list[str]:
        templates = {**self._others, STACK: Template(STACK, self.body)}
        found = findings(templates, events().values())
        return [each.text for each in found if each.check in OURS]


@pytest.fixture
def accounts(templates: Templates) -> Accounts:
    return Accounts(templates("dev"))


def test_as_they_are_there_is_nothing_to_find(accounts: Accounts) -> None:
    assert accounts.found() == []


def test_a_rule_that_gives_a_fifo_queue_no_group_is_found(accounts: Accounts) -> None:
    (target,) = accounts.the("Events::Rule", "StatementConsumer")["Targets"]
    del target["SqsParameters"]
    (text,) = accounts.found()
    assert text.startswith(
        "Rule records-dev-accounts-statement-shop-payments gives "
        "records-dev-accounts-statement-intake.fifo, a FIFO queue, no message group"
    )


def test_a_fifo_queue_to_which_eventbridge_could_deliver_nothing_is_found(
    accounts: Accounts,
) -> None:
    del accounts.the("SQS::Queue", "StatementConsumerIntakeQueue")["ContentBasedDeduplication"]
    (text,) = accounts.found()
    assert text.endswith("could deliver nothing. Set ContentBasedDeduplication.")


def test_a_fifo_queue_that_nothing_fills_is_found(accounts: Accounts) -> None:
    del accounts.the("Lambda::Function", "StatementRelay")["Environment"]["Variables"]["RELAYS_TO"]
    assert (
        "Queue records-dev-accounts-statement.fifo is a FIFO queue that neither a rule nor a "
        "relay fills: its consumer would wait for ever. Ask for `ordered_by=` in its service."
    ) in accounts.found()


def test_a_relay_that_may_not_send_is_found(accounts: Accounts) -> None:
    statements = accounts.the("IAM::Policy", "StatementRelay")["PolicyDocument"]["Statement"]
    statements[:] = [s for s in statements if "sqs:SendMessage" not in listed(s["Action"])]
    assert accounts.found() == [
        "Relay records-dev-accounts-statement-relay may not send to "
        "records-dev-accounts-statement.fifo: not one event would arrive. Allow it "
        "sqs:SendMessage there."
    ]


def test_a_function_that_may_send_past_the_relay_is_found(accounts: Accounts) -> None:
    relay = accounts.the("IAM::Policy", "StatementRelay")["PolicyDocument"]["Statement"]
    (right,) = (s for s in relay if "sqs:SendMessage" in listed(s["Action"]))
    accounts.the("IAM::Policy", "GiftsFunction")["PolicyDocument"]["Statement"].append(right)
    (text,) = accounts.found()
    assert text.startswith("Function records-dev-accounts-gifts may send to")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda s: s["Target"].pop("DeadLetterConfig"), "keeps nothing of a run that it can't"),
        (lambda s: s["Target"].pop("RetryPolicy"), "does not say how often to try again"),
        (lambda s: s["Target"].update(Input="{}"), "does not tell its runs when they were due"),
        (lambda s: s["FlexibleTimeWindow"].update(Mode="FLEXIBLE"), "runs at any time in a window"),
        (lambda s: s.pop("ScheduleExpressionTimezone"), "does not state its time zone"),
        (lambda s: s["Target"].update(RoleArn="arn:else"), "has a role that is not in its stack"),
    ],
)
def test_a_schedule_that_would_lose_or_mistake_a_run_is_found(
    change: Any, text: str, accounts: Accounts
) -> None:
    change(accounts.the("Scheduler::Schedule"))
    assert any(
        each.startswith(f"Schedule records-dev-accounts-close {text}") for each in accounts.found()
    )


def test_a_scheduled_function_that_keeps_no_failed_run_is_found(accounts: Accounts) -> None:
    del accounts.the("Lambda::EventInvokeConfig")["DestinationConfig"]
    (text,) = accounts.found()
    assert "runs records-dev-accounts-close, which keeps nothing of a run that fails" in text


def test_a_role_that_is_for_any_schedule_is_found(accounts: Accounts) -> None:
    role = accounts.the("IAM::Role", "CloseSchedule")
    del role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    (text,) = accounts.found()
    assert "may be assumed for any schedule, of any account" in text


def test_a_schedules_role_that_may_do_more_is_found(accounts: Accounts) -> None:
    policy = accounts.the("IAM::Policy", "CloseSchedule")["PolicyDocument"]["Statement"]
    policy.append({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:another"})
    (text,) = accounts.found()
    assert "may do more than to invoke its function" in text
