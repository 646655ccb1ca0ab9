"""The costs of calls, and the side that they belong to."""

from typing import Any

import pytest

from demo.coupling.api_usage import billed
from demo.coupling.workflows import cost_of

TABLES = {"shop-orders": "event-driven", "shop-coupling-orders": "request-response"}


def call(name: str, **request: Any) -> dict[str, Any]:
    return {"eventName": name, "requestParameters": request}


@pytest.mark.parametrize(
    ("event", "costs"),
    [
        (call("PutItem", TableName="shop-orders"), [("event-driven", "dynamodb_writes", 1)]),
        (
            call("UpdateItem", TableName="arn:aws:dynamodb:us-east-1:0:table/shop-coupling-orders"),
            [("request-response", "dynamodb_writes", 1)],
        ),
        (call("GetItem", TableName="shop-orders"), [("event-driven", "dynamodb_reads", 1)]),
        (call("PutItem", TableName="the-providers-ledger"), []),
        (call("PutEvents", Entries=[{}, {}]), [("event-driven", "events", 2)]),
        (call("ChangeMessageVisibility"), [("event-driven", "sqs_requests", 1)]),
        (call("Invoke"), []),  # the function's REPORT line has it
        (
            call(
                "TransactWriteItems",
                TransactItems=[{"Put": {"TableName": "shop-coupling-orders"}}] * 2,
            ),
            [("request-response", "dynamodb_writes", 2)] * 2,
        ),
    ],
)
def test_a_call_is_billed_to_the_side_of_its_table_or_queue(
    event: dict[str, Any], costs: list[tuple[str, str, int]]
) -> None:
    assert list(billed(event, TABLES)) == costs


@pytest.mark.parametrize(
    ("kind", "resource"),
    [
        ("aws-sdk:dynamodb", "transactWriteItems"),  # AWS's format
        ("states", "arn:aws:states:::aws-sdk:dynamodb:transactWriteItems"),  # MiniStack's
    ],
)
def test_a_task_of_a_workflow_is_billed_for_the_call(kind: str, resource: str) -> None:
    details = {"resourceType": kind, "resource": resource}

    found = cost_of({"type": "TaskScheduled", "taskScheduledEventDetails": details})

    assert list(found) == [("dynamodb_writes", 4)]


def test_each_state_that_is_entered_is_a_transition() -> None:
    assert list(cost_of({"type": "ChoiceStateEntered"})) == [("state_transitions", 1)]
    assert list(cost_of({"type": "ChoiceStateExited"})) == []
