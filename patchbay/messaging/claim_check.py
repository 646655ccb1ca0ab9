"""Claim check: data that is too large for the bus is stored in S3, and the event has its key.

The data is written to the bucket before the event is put on the bus. After a crash in between, the
retry writes the same key again. Small fields stay on the bus: rules filter by them, and relays
order by them.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from patchbay.events.claim import KEPT_FOR, Claim, folder
from patchbay.events.event import Metadata
from patchbay.messaging.errors import Reject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_DATA_BYTES = 32 * 1024 * 1024  # a function with 512 MB can still read and handle it
SMALL = 256  # characters: the longest string that stays on the bus


@dataclass(frozen=True)
class Deposit:
    """An object to be written to the bucket."""

    key: str
    body: bytes


def checked(source: str, detail_type: str, detail: str) -> tuple[str, Deposit]:
    """Return the detail with a claim instead of its data, and the object for the bucket."""
    envelope = json.loads(detail)
    data, metadata = envelope["data"], envelope["metadata"]
    body = json.dumps(data).encode()
    key = folder(source, detail_type) + metadata["id"]
    claim = Claim(key=key, sha256=sha256(body).hexdigest(), size=len(body))
    small = {name: value for name, value in data.items() if _is_small(value)}
    with_claim = {"metadata": metadata | {"claim": claim.model_dump()}, "data": small}
    return json.dumps(with_claim), Deposit(key, body)


def deposit(deposited: Deposit) -> None:
    """Write the object to the project's bucket of claims."""
    deposit_in(_client(), os.environ["CLAIMS_BUCKET"], deposited)


def deposit_in(s3: "S3Client", bucket: str, deposited: Deposit) -> None:
    """Write the object to a bucket of claims."""
    s3.put_object(
        Bucket=bucket,
        Key=deposited.key,
        Body=deposited.body,
        ContentType="application/json",
    )


def claimed(metadata: Metadata, source: str, detail_type: str) -> Any:
    """Return the data that an event claims; raises Reject where it has expired or changed."""
    claim = metadata.claim
    assert claim
    if claim.key != folder(source, detail_type) + str(metadata.id):
        raise Reject(f"claims the data of another event: {claim.key}")
    body = _fetch(claim, metadata.published_at)
    if sha256(body).hexdigest() != claim.sha256:
        raise Reject(
            f"its data in {claim.key} is not what was published: the SHA-256 differs. If the event "
            "was published again with other data, the later event has the new claim."
        )
    return json.loads(body)


def _fetch(claim: Claim, published_at: datetime) -> bytes:
    from botocore.exceptions import ClientError

    try:
        answer = _client().get_object(Bucket=os.environ["CLAIMS_BUCKET"], Key=claim.key)
        return answer["Body"].read()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        expired = datetime.now(UTC) > published_at + KEPT_FOR
        # Without s3:ListBucket, S3 answers AccessDenied for a key that does not exist.
        if code == "NoSuchKey" or (code == "AccessDenied" and expired):
            raise Reject(
                f"its data is gone: {claim.key} is not in the bucket of claims, which keeps what "
                f"is published for {KEPT_FOR.days} days"
            ) from error
        raise  # a missing permission may be granted before the retry


def _is_small(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float) or (
        isinstance(value, str) and len(value) <= SMALL
    )  # fmt: skip


@cache
def _client() -> "S3Client":
    # Imported here: only a function that receives a claim pays for loading it.
    import boto3

    return boto3.client("s3")
