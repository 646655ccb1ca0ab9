"""Live events, read from the stream of the journal's table."""

import json
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.operations.escape import escape
from patchbay.operations.event_ids import ids_in
from patchbay.operations.journeys.journal import Entry, entry, no_journal
from patchbay.project.naming import named

SECONDS_BETWEEN_READS = 0.5  # a shard allows five reads a second, for all its readers together
SECONDS_BETWEEN_LISTINGS = 10.0  # of the shards: DynamoDB replaces each every few hours
MAX_TYPE, MAX_ID, MAX_VALUE = 60, 80, 60  # characters that are shown
MAX_FIELDS = 12
CLOCK = "%H:%M:%S.%f"


@dataclass(frozen=True)
class Filter:
    """A filter of events."""

    types: Collection[str] = ()
    """Empty for all types."""
    id: str | None = None
    """A correlation id, or an id among the event's data; None for all events."""

    def __contains__(self, event: Entry) -> bool:
        if self.types and event.type not in self.types:
            return False
        return self.id is None or self.id in (event.correlation_id, *ids_in(event.data).values())


class Tail:
    """The stream of the journal's table, from the moment of creation on."""

    def __init__(self, clients: Clients, stage: str) -> None:
        self._streams = clients.client("dynamodbstreams")
        self._arn = _stream(clients, stage)
        self._iterators: dict[str, str | None] = {}
        self._after: dict[str, str] = {}
        for shard in self._shards():
            is_open = "EndingSequenceNumber" not in shard["SequenceNumberRange"]
            self._iterators[shard["ShardId"]] = self._latest(shard["ShardId"]) if is_open else None
        self._listed_at = time.monotonic()

    def read(self) -> list[Entry]:
        """Return the events since the last call, oldest first."""
        found = [event for shard in list(self._iterators) for event in self._read(shard)]
        has_ended = any(each is None for each in self._iterators.values())
        if has_ended or time.monotonic() - self._listed_at > SECONDS_BETWEEN_LISTINGS:
            found += self._read_new_shards()
        return sorted(found, key=lambda event: event.published_at)

    def _read_new_shards(self) -> list[Entry]:
        """Read the new shards from their beginning: all of their events are new."""
        self._listed_at = time.monotonic()
        listed = {shard["ShardId"] for shard in self._shards()}
        # A shard that has ended stays here while it is listed: else it would count as a new one.
        self._iterators = {key: it for key, it in self._iterators.items() if key in listed or it}
        new = sorted(listed - self._iterators.keys())
        for shard in new:
            self._iterators[shard] = self._iterator(shard, ShardIteratorType="TRIM_HORIZON")
        return [event for shard in new for event in self._read(shard)]

    def _read(self, shard: str) -> Iterator[Entry]:
        iterator = self._iterators[shard]
        if iterator is None:
            return
        errors = self._streams.exceptions
        try:
            answer = self._streams.get_records(ShardIterator=iterator)
        except errors.LimitExceededException:
            return  # the shard has other readers too: retry with the next call
        except (errors.ExpiredIteratorException, errors.TrimmedDataAccessException):
            self._iterators[shard] = self._new_iterator(shard)  # this machine has slept
            return
        self._iterators[shard] = answer.get("NextShardIterator")
        for record in answer["Records"]:
            self._after[shard] = record["dynamodb"]["SequenceNumber"]
            # An event that is delivered to the journal again changes its item: it is not new.
            if record["eventName"] == "INSERT":
                yield entry(record["dynamodb"]["NewImage"])

    def _new_iterator(self, shard: str) -> str | None:
        """Return an iterator after the last record that was read; None if the shard is gone."""
        if shard in self._after:
            try:
                after = self._after.pop(shard)
                return self._iterator(
                    shard, ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=after
                )
            except self._streams.exceptions.TrimmedDataAccessException:
                pass  # this machine has slept for more than a day
        try:
            return self._iterator(shard, ShardIteratorType="TRIM_HORIZON")
        except self._streams.exceptions.ResourceNotFoundException:
            return None

    def _latest(self, shard: str) -> str:
        return self._iterator(shard, ShardIteratorType="LATEST")

    def _iterator(self, shard: str, **where: str) -> str:
        answer = self._streams.get_shard_iterator(StreamArn=self._arn, ShardId=shard, **where)
        iterator: str = answer["ShardIterator"]
        return iterator

    def _shards(self) -> Iterator[Mapping[str, Any]]:
        start: dict[str, str] = {}
        while True:
            answer = self._streams.describe_stream(StreamArn=self._arn, **start)
            description = answer["StreamDescription"]
            yield from description["Shards"]
            if not (last := description.get("LastEvaluatedShardId")):
                return
            start = {"ExclusiveStartShardId": last}


def follow(tail: Tail, wanted: Filter, seconds: float | None = None) -> Iterator[Entry]:
    """Yield each wanted event as it is read, for a number of seconds or without end."""
    ends = time.monotonic() + seconds if seconds is not None else float("inf")
    while True:
        began = time.monotonic()
        yield from (event for event in tail.read() if event in wanted)
        now = time.monotonic()
        if now >= ends:
            return
        time.sleep(max(0.0, min(began + SECONDS_BETWEEN_READS, ends) - now))


def render(event: Entry) -> Text:
    """Render an event on one line, with all of its content escaped."""
    return Text.assemble(
        (f"{event.published_at.strftime(CLOCK)[:-3]}  ", "dim"),
        (f"{escape(event.type, MAX_TYPE):<20}  ", "bold cyan"),
        f"{escape(event.correlation_id, MAX_ID)}  ",
        (f"{escape(event.source, MAX_TYPE):<16}  ", "dim"),
        _short(event),
    )


def as_json(event: Entry) -> str:
    """Format an event as one line of JSON."""
    envelope: dict[str, Any] = {
        "published_at": event.published_at.isoformat(),
        "type": event.type,
        "source": event.source,
        "event_id": event.id,
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
    }
    try:
        return json.dumps({**envelope, "data": event.data})
    except RecursionError:
        return json.dumps({**envelope, "data": None})


def _short(event: Entry) -> str:
    """Format an event's fields on one line, without those that repeat the correlation id."""
    if event.data is None:
        return "(its data is too large for the journal, or too deep)"
    fields = [
        f"{escape(name, MAX_VALUE)}={_value(value)}"
        for name, value in list(event.data.items())[: MAX_FIELDS + 1]
        if value != event.correlation_id
    ]
    more = ["…"] if len(event.data) > MAX_FIELDS + 1 else []
    return " ".join([*fields, *more])


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    if isinstance(value, list):
        return f"[{len(value)}]"
    return escape(value if isinstance(value, str) else json.dumps(value), MAX_VALUE)


def _stream(clients: Clients, stage: str) -> str:
    """Return the ARN of the stream; raises UserError if there is none."""
    dynamodb = clients.client("dynamodb")
    try:
        table = dynamodb.describe_table(TableName=named(stage, "journal"))["Table"]
    except dynamodb.exceptions.ResourceNotFoundException as error:
        raise no_journal(clients, stage) from error
    if "LatestStreamArn" not in table:
        raise UserError(
            f"The table {named(stage, 'journal')} has no stream: an older version of Patchbay has "
            "deployed it. Deploy the stage again."
        )
    arn: str = table["LatestStreamArn"]
    return arn
