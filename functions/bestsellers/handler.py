"""Counts the storefront's stream, a window at a time, and publishes changes of the first place.

Lambda passes a window's counts from batch to batch as its state. They are added to the table when
the window ends. If the mapping has no windows, each batch is a window of its own.
"""

import base64
from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from contracts.bestsellers import BestsellerChanged
from contracts.storefront import Interaction
from functions.bestsellers import chart
from functions.bestsellers.tally import Tally
from patchbay.messaging import Cause, Outgoing, caused_by, logger, prepare, send

# Lambda's limit for the state is 1 MB; it ends a window that has more. A count takes at most 150
# bytes, so this many and a batch are well below it. They are stored before the window ends.
MAX_RECORDS = 5_000

Record = dict[str, Any]


class PoisonRecord(ValueError):
    """The first record of a batch can't be read, and no retry helps."""


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Count a batch; if this raises, Lambda retries the batch with the same state."""
    records: Sequence[Record] = event.get("Records", [])
    shard, window = _shard(event, records), event.get("window")
    good, poison = _read(records)
    # Add the whole state, then the whole batch, never parts of both: a retry may split the batch
    # differently, and is recognized by its first sequence number.
    carried = Tally.model_validate(event.get("state") or {})
    ends = not window or bool(event.get("isFinalInvokeForWindow")) or poison is not None
    until = chart.counted_until(shard)
    if carried.first and int(carried.first) <= until:
        carried.drop_counts()
    until = max(until, int(carried.last or 0))
    if (ends and (carried.counts or not good)) or len(carried.counts) >= MAX_RECORDS:
        _store(shard, window, carried)
        carried = Tally()
    for number, interaction in good:
        if int(number) > until:
            carried.count(number, interaction)
        else:
            carried.add_without_counting(interaction)
    if ends and good:
        _store(shard, window, carried)
        carried = Tally()
    failures = [{"itemIdentifier": poison}] if poison else []
    return {"state": carried.model_dump() if carried.counts else {}, "batchItemFailures": failures}


def _read(records: Sequence[Record]) -> tuple[list[tuple[str, Interaction]], str | None]:
    """Return the records before the first poison record, and its sequence number or None.

    Lambda retries from a reported record on. If that is the first one, Lambda would never get past
    it, so the whole batch has to fail: Lambda then bisects it until the record is alone, and can be
    given up alone.
    """
    good: list[tuple[str, Interaction]] = []
    for record in records:
        number: str = record["kinesis"]["sequenceNumber"]
        try:
            data = base64.b64decode(record["kinesis"]["data"])
            good.append((number, Interaction.model_validate_json(data)))
        except ValidationError as error:
            if not good and len(records) > 1:
                raise PoisonRecord(f"Record {number} is not an interaction: {error}") from error
            logger().error("poison", sequence_number=number, reason=str(error))
            return good, number
    return good, None


def _store(shard: str, window: dict[str, str] | None, tally: Tally) -> None:
    """Add the counts to the table, and publish changes of the first place."""
    chart.add(shard, window["start"] if window else "none", tally)
    # Changes that an earlier window could not publish are published now, even if this one is empty.
    changes = chart.rank(tally.counts).unpublished
    if changes:
        send([_changed(change) for change in changes])
        chart.mark_published(changes)
    logger().info("counted", shard=shard, window=window, records=len(tally.counts))


def _changed(change: chart.Change) -> Outgoing:
    """Return the event of a change; its id derives from the change's number."""
    journey = f"bestsellers/change/{change.number}"
    with caused_by(Cause(seed=journey, correlation_id=journey)):
        return prepare(BestsellerChanged.model_validate(change.model_dump(exclude={"number"})))


def _shard(event: dict[str, Any], records: Sequence[Record]) -> str:
    """Return the shard's id; without windows, only the records' ids begin with it."""
    named: str | None = event.get("shardId")
    return named or str(records[0]["eventID"]).partition(":")[0]
