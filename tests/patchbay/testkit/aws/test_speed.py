"""Cheaper calls to moto answer as moto's own do."""

from contextlib import nullcontext
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

from patchbay.testkit.aws.speed import faster_calls
from patchbay.testkit.reading.intrinsics import REGION

ACCOUNT = "123456789012"  # moto's own

BEDS, READINGS = "beds", "readings"
KEYS = {BEDS: ("bed",), READINGS: ("bed", "hour")}

names = st.sampled_from("ab")
condition = st.sampled_from([None, "attribute_exists(litres)", "attribute_not_exists(litres)"])


@st.composite
def operations(draw: st.DrawFn) -> dict[str, Any]:
    """One part of a transaction, on a table with a sort key or without."""
    table = draw(st.sampled_from(list(KEYS)))
    key = {name: draw(names) for name in KEYS[table]}
    kind = draw(st.sampled_from(["Put", "Update", "Delete", "ConditionCheck"]))
    part: dict[str, Any] = {"TableName": table}
    asked = draw(condition)
    if kind == "ConditionCheck" or asked:
        part["ConditionExpression"] = asked or "attribute_exists(litres)"
    if kind == "Put":
        return {kind: part | {"Item": key | {"litres": draw(st.integers(0, 9)), "was": [1, 2]}}}
    if kind == "Update":
        # A number is added to a missing one or to one that is there; a list takes no addition.
        part["UpdateExpression"] = draw(
            st.sampled_from(["ADD litres :n", "SET litres = :n", "ADD was :n", "REMOVE litres"])
        )
        if ":n" in part["UpdateExpression"]:
            part["ExpressionAttributeValues"] = {":n": draw(st.integers(0, 9))}
    return {kind: part | {"Key": key}}


@cache
def dynamodb() -> Any:
    return boto3.resource("dynamodb", region_name=REGION)


def create(table: str, database: Any) -> None:
    keys = KEYS[table]
    database.create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[
            {"AttributeName": key, "KeyType": kind}
            for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )


def images(change: dict[str, Any]) -> tuple[Any, Any]:
    return change.get("OldImage"), change.get("NewImage")


def outcome(transactions: list[list[dict[str, Any]]], *, faster: bool) -> list[Any]:
    """Return each transaction's error, the tables after it, and the records of the streams."""
    with mock_aws(), faster_calls() if faster else nullcontext():
        database = dynamodb()
        for table in KEYS:
            create(table, database)
            watered = dict.fromkeys(KEYS[table], "a") | {"litres": 1, "was": [1, 2]}
            database.Table(table).put_item(Item=watered)
        seen: list[Any] = []
        for transaction in transactions:
            try:
                database.meta.client.transact_write_items(TransactItems=transaction)
            except ClientError as error:
                seen.append(error.response["Error"])
            seen.append([database.Table(table).scan()["Items"] for table in KEYS])
        tables = dynamodb_backends[ACCOUNT][REGION].tables
        shards: dict[str, Any] = {name: table.stream_shard for name, table in tables.items()}
        for table in KEYS:
            records = [record.to_json() for record in shards[table].items]
            seen.append([(each["eventName"], *images(each["dynamodb"])) for each in records])
    return seen


@given(st.lists(st.lists(operations(), min_size=1, max_size=4), min_size=1, max_size=4))
def test_transactions_end_as_in_moto_and_leave_the_same(
    transactions: list[list[dict[str, Any]]],
) -> None:
    assert outcome(transactions, faster=True) == outcome(transactions, faster=False)


def test_a_transaction_that_fails_takes_back_what_it_had_updated() -> None:
    failing = [
        {"Update": {"TableName": BEDS, "Key": {"bed": "a"}, "UpdateExpression": "ADD litres :n",
                    "ExpressionAttributeValues": {":n": 5}}},
        {"ConditionCheck": {"TableName": BEDS, "Key": {"bed": "b"},
                            "ConditionExpression": "attribute_exists(bed)"}},
    ]  # fmt: skip
    refused, (beds, _), stream, _ = outcome([failing], faster=True)
    assert refused["Code"] == "TransactionCanceledException"
    assert beds == [{"bed": "a", "litres": 1, "was": [1, 2]}]
    assert [kind for kind, _, _ in stream] == ["INSERT"]
