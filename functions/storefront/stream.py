"""Puts interactions on the stream, and returns those that were refused."""

import os
import time
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from contracts.storefront import Interaction
from patchbay.messaging import full_jitter, logger

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

MAX_RECORDS = 500  # in a request: PutRecords' own limit

ATTEMPTS = 5
BACKOFF_BASE = 0.1  # seconds: a visitor's browser waits here
BACKOFF_CAP = 2.0  # seconds


def put(interactions: Sequence[Interaction]) -> list[int]:
    """Put up to 500 interactions on the stream; returns the positions of those that were refused.

    PutRecords accepts some records and refuses others. Only the refused ones are sent again: the
    others would be on the stream twice.
    """
    waiting = list(range(len(interactions)))
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = _client().put_records(
                StreamName=os.environ["STREAM"],
                Records=[_entry(interactions[position]) for position in waiting],
            )
        except (BotoCoreError, ClientError):
            logger().exception("not streamed", waiting=len(waiting))
            return waiting
        if not answer.get("FailedRecordCount"):
            return []
        results = zip(waiting, answer["Records"], strict=True)
        waiting = [position for position, result in results if "ErrorCode" in result]
        if attempt < ATTEMPTS:
            time.sleep(full_jitter(attempt, base=BACKOFF_BASE, cap=BACKOFF_CAP))
    return waiting


def _entry(interaction: Interaction) -> "PutRecordsRequestEntryTypeDef":
    # All interactions with one record go to one shard, so its counter has few conflicts.
    return {"Data": interaction.model_dump_json().encode(), "PartitionKey": interaction.record_id}


@cache
def _client() -> "KinesisClient":
    return boto3.client("kinesis")
