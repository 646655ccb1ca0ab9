"""Redrive of a stream's dead letters, which hold the position of records, not the records.

DynamoDB and Kinesis keep a record for a day: in that time, it can be read again.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from patchbay.chunks import chunks
from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.dead_letter import DeadLetter, FromStream
from patchbay.operations.dead_letters.message import Message, object_in, parse_object, text_in
from patchbay.topology.event_pattern import EventPattern

Record = dict[str, Any]

MAX_PAYLOAD = 5 * 1024 * 1024  # bytes of an invocation; Lambda's own limit is 6 MB
MAX_RECORDS = 500  # PutRecords' own limit
MAX_PUT = 4 * 1024 * 1024  # bytes of a PutRecords request; Kinesis's own limit is 5 MB
MAX_READS = 1000  # of a shard, in search of a position
GONE = "the stream does not have its records any more: it keeps them for a day"
# The errors for a position that the stream does not have.
MISSING = {
    "TrimmedDataAccessException",
    "ExpiredIteratorException",
    "InvalidArgumentException",
    "ResourceNotFoundException",
    "ValidationException",
}


class NoRecords(Exception):
    """The records can't be read; the message says why."""


class RecordRedriver:
    """A redriver that reads the records again, and invokes the function with them."""

    def __init__(self, clients: Clients, redrive_target: FromStream) -> None:
        self._clients = clients
        self._target = redrive_target
        self._filters = [EventPattern(each) for each in redrive_target.filters]

    def redrive(self, dead_letters: Sequence[DeadLetter]) -> Mapping[str, str]:
        """Invoke the function with each position's records; a position that fails stays."""
        return {each.id: why for each in dead_letters if (why := self._handle(each))}

    def has_returned(self, message: Message) -> bool:
        """Return False: a position that fails again is never deleted."""
        return False

    def _handle(self, dead_letter: DeadLetter) -> str | None:
        try:
            records = records_of(self._clients, dead_letter.body)
        except NoRecords as missing:
            return str(missing)
        passing = [record for record in records if self._passes(record)]
        for batch in chunks(passing, self._target.batch_size, size=_size, max_size=MAX_PAYLOAD):
            if why := self._invoke(batch):
                return why
        return None

    def _passes(self, record: Record) -> bool:
        return not self._filters or any(each.matches(json.dumps(record)) for each in self._filters)

    def _invoke(self, records: Sequence[Record]) -> str | None:
        answer = self._clients.client("lambda").invoke(
            FunctionName=self._target.function,
            InvocationType="RequestResponse",
            Payload=json.dumps({"Records": records}).encode(),
        )
        result = parse_object(answer["Payload"].read().decode(errors="replace"))
        if error := answer.get("FunctionError"):
            return f"it failed again: {text_in(result, 'errorMessage') or error}"
        if result.get("batchItemFailures"):
            return "it failed again: the function reported a failed record"
        return None


class StreamRedriver:
    """A redriver that writes the records to the end of their stream, as new records."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def redrive(self, dead_letters: Sequence[DeadLetter]) -> Mapping[str, str]:
        """Write each position's records; if Kinesis refuses a record, its position stays."""
        return {each.id: why for each in dead_letters if (why := self._write(each))}

    def has_returned(self, message: Message) -> bool:
        """Return False: a record fails again only after a window and half an hour of retries."""
        return False

    def _write(self, dead_letter: DeadLetter) -> str | None:
        try:
            records = records_of(self._clients, dead_letter.body)
        except NoRecords as missing:
            return str(missing)
        for some in chunks(records, MAX_RECORDS, size=_size, max_size=MAX_PUT):
            answer = self._clients.client("kinesis").put_records(
                StreamName=some[0]["eventSourceARN"].rpartition("/")[2],
                Records=[
                    {
                        "Data": base64.b64decode(each["kinesis"]["data"]),
                        "PartitionKey": each["kinesis"]["partitionKey"],
                    }
                    for each in some
                ],
            )
            if refused := answer.get("FailedRecordCount"):
                return f"Kinesis refused {refused} of its {len(records)} records"
        return None


def records_of(clients: Clients, body: str) -> list[Record]:
    """Read the records at the position that a dead letter names, in Lambda's format.

    Raises NoRecords if it names none, or if the stream does not have the records any more.
    """
    dead_letter = parse_object(body)
    of_table, of_stream = (
        object_in(dead_letter, f"{kind}BatchInfo") for kind in ("DDBStream", "Kinesis")
    )
    position = of_table or of_stream
    arn, shard, start, end = (
        text_in(position, name) or ""
        for name in ("streamArn", "shardId", "startSequenceNumber", "endSequenceNumber")
    )
    if not (arn and shard and start.isdigit() and end.isdigit()):
        raise NoRecords("it does not name a position in a stream")
    stream = _Table(clients, arn) if of_table else _Kinesis(clients, arn)
    try:
        found = list(stream.between(shard, start, int(end)))
    except ClientError as error:
        if error.response["Error"]["Code"] in MISSING:
            raise NoRecords(GONE) from error
        raise
    if not found or stream.number(found[0]) != int(start):
        raise NoRecords(GONE)
    return found


class _Stream:
    """A stream whose shards can be read from a position."""

    service: str

    def __init__(self, clients: Clients, arn: str) -> None:
        self.arn = arn
        self._client = clients.client(self.service)

    def between(self, shard: str, start: str, end: int) -> Iterator[Record]:
        """Yield the records from one sequence number to another."""
        iterator: str | None = self._iterator(shard, start)
        for _ in range(MAX_READS):
            if iterator is None:
                return
            answer = self._client.get_records(ShardIterator=iterator)
            for each in answer["Records"]:
                record = self._in_lambdas_format(shard, each)
                if self.number(record) > end:
                    return
                yield record
                if self.number(record) == end:
                    return
            if not answer["Records"] and answer.get("MillisBehindLatest", 0) == 0:
                return
            iterator = answer.get("NextShardIterator")

    def number(self, record: Record) -> int:
        raise NotImplementedError

    def _iterator(self, shard: str, start: str) -> str:
        raise NotImplementedError

    def _in_lambdas_format(self, shard: str, record: Record) -> Record:
        raise NotImplementedError


class _Kinesis(_Stream):
    service = "kinesis"

    def number(self, record: Record) -> int:
        return int(record["kinesis"]["sequenceNumber"])

    def _iterator(self, shard: str, start: str) -> str:
        iterator: str = self._client.get_shard_iterator(
            StreamName=self.arn.rpartition("/")[2],
            ShardId=shard,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=start,
        )["ShardIterator"]
        return iterator

    def _in_lambdas_format(self, shard: str, record: Record) -> Record:
        return {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": record["PartitionKey"],
                "sequenceNumber": record["SequenceNumber"],
                "data": base64.b64encode(record["Data"]).decode(),
                "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{shard}:{record['SequenceNumber']}",
            "eventName": "aws:kinesis:record",
            "awsRegion": self.arn.split(":")[3],
            "eventSourceARN": self.arn,
        }


class _Table(_Stream):
    service = "dynamodbstreams"

    def number(self, record: Record) -> int:
        return int(record["dynamodb"]["SequenceNumber"])

    def _iterator(self, shard: str, start: str) -> str:
        iterator: str = self._client.get_shard_iterator(
            StreamArn=self.arn,
            ShardId=shard,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=start,
        )["ShardIterator"]
        return iterator

    def _in_lambdas_format(self, shard: str, record: Record) -> Record:
        seen: Record = json.loads(json.dumps(record, default=_plain))
        return {**seen, "eventSourceARN": self.arn}


def _plain(value: Any) -> Any:
    """Convert a time or bytes to Lambda's JSON."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"a record can't hold {type(value).__name__}")


def _size(record: Record) -> int:
    return len(json.dumps(record))
