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

# Lambda carries 1 MB of state, and ends a window that has more. A count takes 150 bytes at most, so
# that this many, and a batch, are well below it; the table gets them before the window has ended.
MAX_RECORDS = 5_000

Record = dict[str, Any]


class PoisonRecord(ValueError):
    """The first record of a batch can't be read, and no retry helps."""


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Count a batch; if this raises, Lambda retries the batch with the same state."""
    records: Sequence[Record] = event.get("Records", [])
    shard, window = _shard(event, records), event.get("window")
    good, poison = _read(records)
    # All of the state, then all of the batch, never a part of both: a retry may cut the batch
    # differently, and is recognized by its first sequence number.
    carried = Tally.model_validate(event.get("state") or {})
    ends = not window or bool(event.get("isFinalInvokeForWindow")) or poison is not None
    until = chart.counted_until(shard)
    if carried.first and int(carried.first) <= until:
        carried.forget()
    until = max(until, int(carried.last or 0))
    if (ends and (carried.counts or not good)) or len(carried.counts) >= MAX_RECORDS:
        _settle(shard, window, carried)
        carried = Tally()
    for number, interaction in good:
        if int(number) > until:
            carried.count(number, interaction)
        else:
            carried.recall(interaction)
    if ends and good:
        _settle(shard, window, carried)
        carried = Tally()
    failures = [{"itemIdentifier": poison}] if poison else []
    return {"state": carried.model_dump() if carried.counts else {}, "batchItemFailures": failures}


def _read(records: Sequence[Record]) -> tuple[list[tuple[str, Interaction]], str | None]:
    """What is before the first poison record, and the sequence number of that, if there is one.

    Lambda goes on from a record that is reported, with all that are behind it. It would never get
    past one that is the first: that is no partial failure but a whole one, upon which Lambda halves
    the batch, until the record is alone and can be given up alone.
    """
    good: list[tuple[str, Interaction]] = []
    for record in records:
        number: str = record["kinesis"]["sequenceNumber"]
        try:
            data = base64.b64decode(record["kinesis"]["data"])
            good.append((number, Interaction.model_validate_json(data)))
        except ValidationError as error:
            if not good and len(records) > 1:
                raise PoisonRecord(f"Record {number} is no interaction: {error}") from error
            logger().error("poison", sequence_number=number, reason=str(error))
            return good, number
    return good, None


def _settle(shard: str, window: dict[str, str] | None, tally: Tally) -> None:
    """Add the counts to the table, and publish changes of the first place."""
    chart.add(shard, window["start"] if window else "none", tally)
    # Changes that an earlier window could not publish are published now, even if this one is empty.
    changes = chart.rank(tally.counts).untold
    if changes:
        send([_changed(change) for change in changes])
        chart.told(changes)
    logger().info("settled", shard=shard, window=window, records=len(tally.counts))


def _changed(change: chart.Change) -> Outgoing:
    """Return the event of a change; its id derives from the change's number."""
    journey = f"bestsellers/change/{change.number}"
    with caused_by(Cause(seed=journey, correlation_id=journey)):
        return prepare(BestsellerChanged.model_validate(change.model_dump(exclude={"number"})))


def _shard(event: dict[str, Any], records: Sequence[Record]) -> str:
    """Return the shard's id; without windows, only the records' ids begin with it."""
    named: str | None = event.get("shardId")
    return named or str(records[0]["eventID"]).partition(":")[0]
