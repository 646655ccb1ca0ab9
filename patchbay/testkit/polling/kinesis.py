"""The shards of a Kinesis stream, as Lambda reads them; moto holds the stream."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moto.kinesis.models import Stream, kinesis_backends

from patchbay.testkit.reading.intrinsics import ACCOUNT, REGION
from patchbay.testkit.templates import Templates

# A new on-demand stream has four. One is enough to simulate a shard.
SHARDS = 1


@dataclass(frozen=True)
class Shard:
    """One shard of a stream."""

    arn: str
    shard_id: str

    @property
    def key(self) -> str:
        return self.arn

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]

    def records(self) -> Sequence[Any]:
        stream = kinesis_backends[ACCOUNT][REGION].streams[self.name]
        return list(stream.shards[self.shard_id].records.values())

    def lambda_record(self, record: Any) -> dict[str, Any]:
        return {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": record.partition_key,
                "sequenceNumber": str(record.sequence_number),
                "data": record.data,
                "approximateArrivalTimestamp": record.created_at,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{self.shard_id}:{record.sequence_number}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": f"arn:aws:iam::{ACCOUNT}:role/the-function's",
            "awsRegion": REGION,
            "eventSourceARN": self.arn,
        }

    def number(self, record: dict[str, Any]) -> str:
        number: str = record["kinesis"]["sequenceNumber"]
        return number

    def created(self, record: dict[str, Any]) -> float:
        created: float = record["kinesis"]["approximateArrivalTimestamp"]
        return created

    def batch_info(self, position: dict[str, Any]) -> dict[str, Any]:
        """Return the position of the records in a dead letter."""
        return {"KinesisBatchInfo": {"shardId": self.shard_id, **position}}


def make_streams(templates: Templates) -> None:
    """Create every stream of the templates in moto."""
    for resource in templates.all("AWS::Kinesis::Stream"):
        body = {"Properties": {"ShardCount": SHARDS}}
        Stream.create_from_cloudformation_json(resource.name, body, ACCOUNT, REGION)


def shards(arn: str) -> list[Shard]:
    """Return the shards of a stream; none if it does not exist."""
    stream = kinesis_backends[ACCOUNT][REGION].streams.get(arn.rpartition("/")[2])
    return [Shard(arn, shard_id) for shard_id in stream.shards] if stream else []
