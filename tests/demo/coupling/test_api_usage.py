"""What a call costs, and whom."""

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
        (call("Invoke"), []),  # the function reports it
        (
            call(
                "TransactWriteItems",
                TransactItems=[{"Put": {"TableName": "shop-coupling-orders"}}] * 2,
            ),
            [("request-response", "dynamodb_writes", 2)] * 2,
        ),
    ],
)
def test_a_call_is_billed_to_whose_table_or_queue_it_is(
    event: dict[str, Any], costs: list[tuple[str, str, int]]
) -> None:
    assert list(billed(event, TABLES)) == costs


@pytest.mark.parametrize(
    ("kind", "resource"),
    [
        ("aws-sdk:dynamodb", "transactWriteItems"),  # as AWS has it
        ("states", "arn:aws:states:::aws-sdk:dynamodb:transactWriteItems"),  # as MiniStack
    ],
)
def test_a_task_of_a_workflow_costs_what_it_calls(kind: str, resource: str) -> None:
    details = {"resourceType": kind, "resource": resource}

    found = cost_of({"type": "TaskScheduled", "taskScheduledEventDetails": details})

    assert list(found) == [("dynamodb_writes", 4)]


def test_each_state_that_is_entered_is_a_transition() -> None:
    assert list(cost_of({"type": "ChoiceStateEntered"})) == [("state_transitions", 1)]
    assert list(cost_of({"type": "ChoiceStateExited"})) == []
