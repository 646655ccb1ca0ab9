"""The books: a line for each payment, refund and gift, and each customer's balance after it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

import boto3

Kind = Literal["payment", "refund", "gift"]

_resource = boto3.resource("dynamodb")
_lines = _resource.Table(os.environ["LINES_TABLE"])
_balances = _resource.Table(os.environ["BALANCES_TABLE"])
_client = _lines.meta.client

# The account of payments whose events have no customer_id.
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Line:
    """A line in the books: at most one for each order and kind."""

    kind: Kind
    order_id: str
    customer_id: str | None
    amount: Decimal

    @property
    def name(self) -> str:
        return f"{self.kind}/{self.order_id}"

    @property
    def account(self) -> str:
        return self.customer_id or UNKNOWN


def book(line: Line) -> None:
    """Write the line, and the customer's balance after it; an existing line is not changed.

    A line belongs to the day on which it is written: a past day gets no more lines.
    """
    key = {"account": line.account}
    before: Any = _balances.get_item(Key=key, ConsistentRead=True).get("Item", {})
    number, balance = before.get("lines", 0) + 1, before.get("balance", 0) + line.amount
    item = _item(line) | {"balance": balance, "number": number}
    # The balance must not have changed since it was read.
    unchanged: Any = {
        "ConditionExpression": "attribute_not_exists(account) OR #lines = :before",
        "ExpressionAttributeNames": {"#lines": "lines"},
        "ExpressionAttributeValues": {":before": number - 1},
    }
    after = {"account": line.account, "lines": number, "balance": balance}
    try:
        _client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": _lines.name, "Item": item} | _NEW},
                {"Put": {"TableName": _balances.name, "Item": after} | unchanged},
            ]
        )
    except _client.exceptions.TransactionCanceledException as canceled:
        if not _is_booked(canceled):
            raise  # the balance has changed in between: the event is retried


def note(line: Line) -> None:
    """Write a line that changes no balance; an existing line is not changed."""
    try:
        _lines.put_item(Item=_item(line), **_NEW)
    except _client.exceptions.ConditionalCheckFailedException:
        return


def booked_on(day: date) -> Iterator[Line]:
    """Return all lines of a day."""
    query: dict[str, Any] = {
        "IndexName": "day",
        "KeyConditionExpression": "#day = :day",
        "ExpressionAttributeNames": {"#day": "day"},
        "ExpressionAttributeValues": {":day": day.isoformat()},
    }
    while True:
        page: Any = _lines.query(**query)
        for item in page["Items"]:
            yield Line(item["kind"], item["order_id"], item.get("customer_id"), item["amount"])
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


_NEW: Any = {
    "ConditionExpression": "attribute_not_exists(#line)",
    "ExpressionAttributeNames": {"#line": "line"},
}


def _item(line: Line) -> dict[str, Any]:
    now = datetime.now(UTC)
    item = {
        "line": line.name,
        "kind": line.kind,
        "order_id": line.order_id,
        "customer_id": line.customer_id,
        "amount": line.amount,
        "day": now.date().isoformat(),
        "booked_at": now.isoformat(),
    }
    return {name: value for name, value in item.items() if value is not None}


def _is_booked(canceled: Any) -> bool:
    """Return whether the line's own condition failed, since it exists."""
    first = canceled.response["CancellationReasons"][0]
    return bool(first["Code"] == "ConditionalCheckFailed")
