"""The stream of a DynamoDB table, as Lambda reads it; moto holds the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from patchbay.testkit.reading.intrinsics import ACCOUNT, REGION

Record = dict[str, Any]


@dataclass(frozen=True)
class TableStream:
    """The stream of a table, with one shard."""

    table: str
    arn: str
    shard_id: str = "shardId-00000001767225600000-00000000"

    @property
    def key(self) -> str:
        return self.table

    @property
    def name(self) -> str:
        return self.table

    def records(self) -> Sequence[Any]:
        shard = dynamodb_backends[ACCOUNT][REGION].tables[self.table].stream_shard
        return shard.items if shard else []

    def lambda_record(self, record: Any) -> Record:
        seen: Record = record.to_json()
        fields = dict(seen["dynamodb"])
        created: datetime = fields["ApproximateCreationDateTime"]
        fields["ApproximateCreationDateTime"] = created.timestamp()
        return seen | {"dynamodb": fields, "eventSourceARN": self.arn}

    def number(self, record: Record) -> str:
        number: str = record["dynamodb"]["SequenceNumber"]
        return number

    def created(self, record: Record) -> float:
        created: float = record["dynamodb"]["ApproximateCreationDateTime"]
        return created

    def batch_info(self, position: dict[str, Any]) -> dict[str, Any]:
        return {"DDBStreamBatchInfo": {"shardId": self.shard_id, **position}}
