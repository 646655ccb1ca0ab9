"""Events of a journey, read from the journal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from boto3.dynamodb.types import TypeDeserializer

from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.operations.escape import escape
from patchbay.operations.stages import not_deployed
from patchbay.project.naming import named

MAX_ID = 128  # characters: the limit of a correlation_id in patchbay/events/event.py

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One event of a journey."""

    id: str
    type: str
    source: str
    published_at: datetime
    causation_id: str | None
    correlation_id: str
    data: Mapping[str, Any] | None
    """None if it was too large for the journal, or is nested too deeply."""
    version: int = 1

    @property
    def as_delivered(self) -> str:
        """The event in EventBridge's JSON, with the fields that rules match."""
        metadata = {"id": self.id, "correlation_id": self.correlation_id}
        detail = {"metadata": metadata, "data": self.data or {}}
        return json.dumps({"source": self.source, "detail-type": self.type, "detail": detail})


def entries(clients: Clients, stage: str, id: str, most: int | None = None) -> list[Entry]:
    """Return the events of a journey, oldest first, by its id or the id of one of them.

    Returns at most `most` events; raises UserError if there are none.
    """
    dynamodb, table = clients.client("dynamodb"), named(stage, "journal")
    try:
        items = _of_journey(dynamodb, table, id, most) if 0 < len(id) <= MAX_ID else []
        if not items and (journey := _journey_of(dynamodb, table, id)):
            items = _of_journey(dynamodb, table, journey, most)
    except dynamodb.exceptions.ResourceNotFoundException as error:
        raise no_journal(clients, stage) from error
    if not items:
        raise UserError(
            f"The journal of stage {stage!r} has no journey '{escape(id, MAX_ID)}'. Give a "
            "correlation id or an event's id; the journal keeps events for 90 days."
        )
    return [entry(item) for item in items]


def no_journal(clients: Clients, stage: str) -> UserError:
    """Return the error for a stage without a journal."""
    return not_deployed(clients, stage, f"table {named(stage, 'journal')}")


def _of_journey(dynamodb: Any, table: str, journey: str, most: int | None) -> list[Item]:
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="correlation_id = :journey",
        ExpressionAttributeValues={":journey": {"S": journey}},
        ConsistentRead=True,
        PaginationConfig={"MaxItems": most},
    )
    return [item for page in pages for item in page["Items"]]


def _journey_of(dynamodb: Any, table: str, id: str) -> str | None:
    """Return the journey of an event, from an index that is updated shortly after the table."""
    try:
        event_id = str(UUID(id))
    except ValueError:
        return None
    answer = dynamodb.query(
        TableName=table,
        IndexName="event_id",
        KeyConditionExpression="event_id = :event",
        ExpressionAttributeValues={":event": {"S": event_id}},
        Limit=1,
    )
    return answer["Items"][0]["correlation_id"]["S"] if answer["Items"] else None


def entry(item: Item) -> Entry:
    """Return the event that an item of the journal's table holds."""
    fields = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
    return Entry(
        id=fields["event_id"],
        type=fields["type"],
        source=fields["source"],
        published_at=datetime.fromisoformat(fields["published_at"]),
        causation_id=fields.get("causation_id"),
        correlation_id=fields["correlation_id"],
        data=_object(fields.get("data")),
        version=int(fields.get("version", 1)),
    )


def _object(text: str | None) -> Mapping[str, Any] | None:
    try:
        found = json.loads(text) if text else None
    except RecursionError:
        return None
    return found if isinstance(found, dict) else None
