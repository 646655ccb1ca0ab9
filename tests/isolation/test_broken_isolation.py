"""The isolation matrix finds deliberate mistakes in copies of the real templates and code."""

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
"""A cell's consumer and its trouble."""


def changed(templates: Templates, service: str, change: Change) -> Templates:
    """Return the system with a change to a copy of one service's resources."""
    stack = f"{templates.prefix}{service}"
    body = copy.deepcopy(dict(templates.bodies[stack]))
    change(body["Resources"])
    return templates.with_bodies({**templates.bodies, stack: body})


def failing(templates: Templates, *cells: Name) -> dict[Name, str]:
    """Return the reason of each of these cells that does not hold."""
    matrix = Matrix(templates, ShopsInvariants())
    troubles = {trouble.name: trouble for trouble in matrix.troubles}
    tried = [matrix.cell(consumer, troubles[trouble]) for consumer, trouble in cells]
    return {(cell.consumer, cell.fault): cell.why for cell in tried if not cell.holds}


def properties(resources: Resources, kind: str, name: str = "") -> dict[str, Any]:
    """Return the properties of the only resource of that type, or of that name."""
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
    """Allow all actions, so that missing permissions are not what the matrix finds."""
    for each in resources.values():
        if each["Type"] == "AWS::IAM::Policy":
            statements = each["Properties"]["PolicyDocument"]["Statement"]
            statements.append({"Effect": "Allow", "Action": "*", "Resource": "*"})


def queue_arn(name: str) -> str:
    return arn_of("AWS::SQS::Queue", f"records-dev-{name}")


def test_a_queue_without_a_dead_letter_queue_loses_failed_events(templates: Templates) -> None:
    def forget(resources: Resources) -> None:
        payments = queue(resources, "payments")
        del payments["RedrivePolicy"]
        payments["MessageRetentionPeriod"] = TEN_MINUTES  # four days of retries would run longer

    raises, twice = ("payments", "raises"), ("payments", "gets events twice")
    why = failing(changed(templates, "payments", forget), raises, twice)
    assert list(why) == [raises]
    assert why[raises].startswith("payments lost OrderPlaced")
    assert "it was older than its queue's retention period" in why[raises]


def test_without_partial_batch_responses_failed_messages_are_deleted(templates: Templates) -> None:
    def forget(resources: Resources) -> None:
        del mapping(resources)["FunctionResponseTypes"]

    raises, poison = ("notifications", "raises"), ("notifications", "gets a poison message")
    why = failing(changed(templates, "notifications", forget), raises, poison)
    assert list(why) == [raises]
    assert why[raises].startswith("notifications neither handled OrderPlaced")
    assert "nor kept it as a dead letter" in why[raises]


def test_a_target_without_a_dead_letter_queue_loses_undelivered_events(
    templates: Templates,
) -> None:
    def forget(resources: Resources) -> None:
        for each in resources.values():
            if each["Type"] == "AWS::Events::Rule":
                del each["Properties"]["Targets"][0]["DeadLetterConfig"]

    raises, unreachable = ("payments", "raises"), ("payments", "can't be delivered to")
    why = failing(changed(templates, "payments", forget), raises, unreachable)
    assert list(why) == [unreachable]
    assert why[unreachable].startswith("payments lost OrderPlaced")
    assert "the target has no dead-letter queue" in why[unreachable]


def test_a_dead_letter_queue_that_two_consumers_share_is_found(
    templates: Templates,
) -> None:
    def share(resources: Resources) -> None:
        policy = queue(resources, "notifications")["RedrivePolicy"]
        policy["deadLetterTargetArn"] = queue_arn("payments-dead-letters")

    mails, charges = ("notifications", "raises"), ("payments", "raises")
    slow = ("notifications", "is slow")
    why = failing(changed(templates, "notifications", share), mails, charges, slow)
    assert list(why) == [mails, charges]
    assert "payments has 7 dead letters, though only notifications had a fault" in why[mails]
    assert "notifications has 5 dead letters, though only payments had a fault" in why[charges]


def test_two_consumers_on_one_queue_take_each_others_events(templates: Templates) -> None:
    def share(resources: Resources) -> None:
        mapping(resources)["EventSourceArn"] = queue_arn("payments")
        allow_everything(resources)

    slow, bystander = ("notifications", "is slow"), ("orders-status", "is slow")
    why = failing(changed(templates, "notifications", share), slow, bystander)
    assert list(why) == [slow, bystander]
    assert all("payments has not handled 5 of the 5 events" in each for each in why.values())


def test_two_consumers_with_one_idempotency_table_skip_each_others_events(
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


def test_a_visibility_timeout_below_the_functions_timeout_is_not_deployable(
    templates: Templates,
) -> None:
    def shorten(resources: Resources) -> None:
        queue(resources, "payments")["VisibilityTimeout"] = 30

    with pytest.raises(NotDeployable, match="visibility timeout of records-dev-payments is 30 s"):
        Matrix(changed(templates, "payments", shorten), ShopsInvariants())


def test_a_charge_with_a_new_idempotency_key_for_each_attempt_is_charged_more_than_once(
    templates: Templates, tmp_path: Path
) -> None:
    raises, crashes = ("payments", "raises"), ("payments", "crashes after its work")
    why = failing(charging_carelessly(templates, tmp_path), raises, crashes)
    assert list(why) == [crashes]
    assert "the ledger entries of order" in why[crashes]
    assert ": 13, but without the fault 1" in why[crashes]


def test_accounts_that_book_a_payment_for_each_delivery_do_not_add_up(
    templates: Templates, tmp_path: Path
) -> None:
    raises = ("accounts-statement", "raises")
    crashes = ("accounts-statement", "crashes after its work")
    why = failing(booking_carelessly(templates, tmp_path), raises, crashes)
    assert list(why) == [crashes]
    assert "after 13 lines, but without the fault $" in why[crashes]
