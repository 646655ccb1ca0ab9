"""Reads what the journal has kept of a journey."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from operations.clients import Clients, OperationFailed
from stacks.naming import named


@dataclass(frozen=True)
class Entry:
    """One event of a journey."""

    id: str
    type: str
    source: str
    published_at: datetime
    caused_by: str | None
    correlation_id: str
    data: Mapping[str, Any] | None
    """None where it was too large for the journal."""

    @property
    def as_delivered(self) -> str:
        """The event as rules see it, as far as they look at it, in EventBridge's own JSON."""
        metadata = {"id": self.id, "correlation_id": self.correlation_id}
        detail = {"metadata": metadata, "data": self.data or {}}
        return json.dumps({"source": self.source, "detail-type": self.type, "detail": detail})


def entries(clients: Clients, stage: str, journey: str) -> list[Entry]:
    """The events of a journey, the oldest first; raises OperationFailed where there are none."""
    dynamodb = clients.client("dynamodb")
    table = named(stage, "journal")
    try:
        items = [
            item
            for page in dynamodb.get_paginator("query").paginate(
                TableName=table,
                KeyConditionExpression="correlation_id = :journey",
                ExpressionAttributeValues={":journey": {"S": journey}},
                ConsistentRead=True,
            )
            for item in page["Items"]
        ]
    except dynamodb.exceptions.ResourceNotFoundException as error:
        raise OperationFailed(
            f"There is no table {table}: is the stage {stage!r} deployed in this account and "
            "region? `--stage` names another."
        ) from error
    if not items:
        raise OperationFailed(
            f"The journal of stage {stage!r} knows no journey {journey!r}. It takes an order's id, "
            "or an event's correlation_id, and keeps what is not older than 90 days."
        )
    return [_entry(item) for item in items]


def _entry(item: Mapping[str, Any]) -> Entry:
    fields = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
    return Entry(
        id=fields["event_id"],
        type=fields["type"],
        source=fields["source"],
        published_at=datetime.fromisoformat(fields["published_at"]),
        caused_by=fields.get("causation_id"),
        correlation_id=fields["correlation_id"],
        data=json.loads(fields["data"]) if "data" in fields else None,
    )
