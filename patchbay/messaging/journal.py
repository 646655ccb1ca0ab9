"""The handler of the journal: it keeps a copy of every event, by its correlation id."""

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from patchbay.events.event import AnyEvent
from patchbay.messaging.consuming import consumer
from patchbay.messaging.idempotency import naturally_idempotent

KEPT_FOR = timedelta(days=90)  # as in the bus's archive
# An item has at most 400 KB, and is billed by its size.
MAX_DATA_BYTES = 64 * 1024

_table = boto3.resource("dynamodb").Table(os.environ["JOURNAL_TABLE"])


@consumer
@naturally_idempotent
def handler(event: AnyEvent) -> None:
    # A second delivery writes the same item again.
    _table.put_item(Item=_entry(event))


def _entry(event: AnyEvent) -> dict[str, Any]:
    metadata, data = event.metadata, json.dumps(event.data)
    published_at = metadata.published_at.astimezone(UTC).isoformat(timespec="microseconds")
    entry = {
        "correlation_id": metadata.correlation_id,
        "moment": f"{published_at}/{metadata.id}",
        "event_id": str(metadata.id),
        "causation_id": str(metadata.causation_id) if metadata.causation_id else None,
        "source": event.from_source,
        "type": event.of_type,
        "version": metadata.version,
        "published_at": published_at,
        "data": data if len(data.encode()) <= MAX_DATA_BYTES else None,
        "expires": int((datetime.now(UTC) + KEPT_FOR).timestamp()),
    }
    return {name: value for name, value in entry.items() if value is not None}
