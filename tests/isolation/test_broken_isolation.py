"""Isolation that is broken on purpose, on copies of the real templates and code: it is seen."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from patchbay.testkit.errors import NotDeployable
from patchbay.testkit.isolation.matrix import Matrix
from patchbay.testkit.reading.arns import arn_of
from patchbay.testkit.templates import Templates
from tests.invariants import ShopsInvariants
from tests.shop import booking_carelessly, charging_carelessly

TEN_MINUTES = 600  # seconds

Resources = dict[str, dict[str, Any]]
Change = Callable[[Resources], object]
Name = tuple[str, str]
"""Of a cell: its consumer and its trouble."""


def changed(templates: Templates, service: str, change: Change) -> Templates:
    """The same system, but for a change to a copy of one service's resources."""
    stack = f"{templates.prefix}{service}"
    body = copy.deepcopy(dict(templates.bodies[stack]))
    change(body["Resources"])
    return templates.with_bodies({**templates.bodies, stack: body})


def failing(templates: Templates, *cells: Name) -> dict[Name, str]:
    """Which of these cells do not hold, and why."""
    matrix = Matrix(templates, ShopsInvariants())
    troubles = {trouble.name: trouble for trouble in matrix.troubles}
    tried = [matrix.cell(consumer, troubles[trouble]) for consumer, trouble in cells]
    return {(cell.consumer, cell.fault): cell.why for cell in tried if not cell.holds}


def properties(resources: Resources, kind: str, name: str = "") -> dict[str, Any]:
    """Those of the only resource of that type, or of the one of that name."""
    (found,) = (
        each["Properties"]
        for each in resources.values()
        if each["Type"] == kind and (not name or name in each["Properties"].values())
    )
    assert isinstance(found, dict)
    return found


def queue(resources: Resources, consumer: str) -> dict[str, Any]:
    return properties(resources, "AWS::SQS::Queue", f"records-dev-{consumer}")


def mapping(resources: Resources) -> dict[str, Any]:
    return properties(resources, "AWS::Lambda::EventSourceMapping")


def allow_everything(resources: Resources) -> None:
    """So that what keeps the matrix from holding is not the rights."""
    for each in resources.values():
        if each["Type"] == "AWS::IAM::Policy":
            statements = each["Properties"]["PolicyDocument"]["Statement"]
            statements.append({"Effect": "Allow", "Action": "*", "Resource": "*"})


def queue_arn(name: str) -> str:
    return arn_of("AWS::SQS::Queue", f"records-dev-{name}")


def test_a_queue_without_dead_letters_loses_what_keeps_failing(templates: Templates) -> None:
    def forget(resources: Resources) -> None:
        payments = queue(resources, "payments")
        del payments["RedrivePolicy"]
        payments["MessageRetentionPeriod"] = TEN_MINUTES  # four days of retries take longer to play

    raises, twice = ("payments", "raises"), ("payments", "gets events twice")
    why = failing(changed(templates, "payments", forget), raises, twice)
    assert list(why) == [raises]
    assert why[raises].startswith("payments lost OrderPlaced")
    assert "it was older than its queue keeps messages" in why[raises]


def test_without_partial_responses_what_failed_is_deleted(templates: Templates) -> None:
    def forget(resources: Resources) -> None:
        del mapping(resources)["FunctionResponseTypes"]

    raises, poison = ("notifications", "raises"), ("notifications", "gets a poison message")
    why = failing(changed(templates, "notifications", forget), raises, poison)
    assert list(why) == [raises]
    assert why[raises].startswith("notifications neither handled OrderPlaced")
    assert "nor kept it as a dead letter" in why[raises]


def test_a_rule_without_dead_letters_loses_what_it_can_not_deliver(templates: Templates) -> None:
    def forget(resources: Resources) -> None:
        for each in resources.values():
            if each["Type"] == "AWS::Events::Rule":
                del each["Properties"]["Targets"][0]["DeadLetterConfig"]

    raises, unreachable = ("payments", "raises"), ("payments", "can't be delivered to")
    why = failing(changed(templates, "payments", forget), raises, unreachable)
    assert list(why) == [unreachable]
    assert why[unreachable].startswith("payments lost OrderPlaced")
    assert "the target has no dead-letter queue" in why[unreachable]


def test_dead_letters_that_two_consumers_share_are_found_with_the_wrong_one(
    templates: Templates,
) -> None:
    def share(resources: Resources) -> None:
        policy = queue(resources, "notifications")["RedrivePolicy"]
        policy["deadLetterTargetArn"] = queue_arn("payments-dead-letters")

    mails, charges = ("notifications", "raises"), ("payments", "raises")
    slow = ("notifications", "is slow")
    why = failing(changed(templates, "notifications", share), mails, charges, slow)
    assert list(why) == [mails, charges]
    assert "payments has 7 dead letters, though only notifications was in trouble" in why[mails]
    assert "notifications has 5 dead letters, though only payments was in trouble" in why[charges]


def test_two_consumers_on_one_queue_take_each_others_events(templates: Templates) -> None:
    def share(resources: Resources) -> None:
        mapping(resources)["EventSourceArn"] = queue_arn("payments")
        allow_everything(resources)

    slow, bystander = ("notifications", "is slow"), ("orders-status", "is slow")
    why = failing(changed(templates, "notifications", share), slow, bystander)
    assert list(why) == [slow, bystander]
    assert all("payments has not handled 5 of the 5 events" in each for each in why.values())


def test_two_consumers_with_one_memory_take_each_others_events_for_handled(
    templates: Templates,
) -> None:
    def share(resources: Resources) -> None:
        function = properties(resources, "AWS::Lambda::Function")
        function["Environment"]["Variables"] |= {
            "CONSUMER": "payments",
            "IDEMPOTENCY_TABLE": "records-dev-payments-idempotency",
        }
        allow_everything(resources)

    slow = ("orders-status", "is slow")
    why = failing(changed(templates, "notifications", share), slow)
    assert "has not handled" in why[slow]


def test_a_queue_that_hides_messages_for_less_than_the_function_takes_is_not_even_deployed(
    templates: Templates,
) -> None:
    def shorten(resources: Resources) -> None:
        queue(resources, "payments")["VisibilityTimeout"] = 30

    with pytest.raises(NotDeployable, match="visibility timeout of records-dev-payments is 30 s"):
        Matrix(changed(templates, "payments", shorten), ShopsInvariants())


def test_a_charge_under_another_key_each_time_is_in_the_ledger_more_than_once(
    templates: Templates, tmp_path: Path
) -> None:
    raises, crashes = ("payments", "raises"), ("payments", "crashes after its work")
    why = failing(charging_carelessly(templates, tmp_path), raises, crashes)
    assert list(why) == [crashes]
    assert "the ledger entries of order" in why[crashes]
    assert ": 13, and without the trouble 1" in why[crashes]


def test_books_that_take_a_payment_each_time_they_are_told_of_it_do_not_add_up(
    templates: Templates, tmp_path: Path
) -> None:
    raises = ("accounts-statement", "raises")
    crashes = ("accounts-statement", "crashes after its work")
    why = failing(booking_carelessly(templates, tmp_path), raises, crashes)
    assert list(why) == [crashes]
    assert "after 13 lines, and without the trouble $" in why[crashes]
