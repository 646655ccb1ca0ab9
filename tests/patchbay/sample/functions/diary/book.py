"""The pages of the diary."""

import os
from datetime import UTC, date, datetime
from typing import Any

import boto3

_pages = boto3.resource("dynamodb").Table(os.environ["PAGES_TABLE"])


def write(page: str, text: str) -> None:
    """Write a page; one that is written twice is the same."""
    _pages.put_item(Item={"page": page, "text": text, "day": datetime.now(UTC).date().isoformat()})


def pages_of(day: date) -> int:
    """Return how many pages a day has."""
    query: dict[str, Any] = {
        "IndexName": "day",
        "KeyConditionExpression": "#day = :day",
        "ExpressionAttributeNames": {"#day": "day"},
        "ExpressionAttributeValues": {":day": day.isoformat()},
    }
    return int(_pages.query(**query)["Count"])
