"""S3's buckets, held by moto, with their policies and their answer for missing keys."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from patchbay.testkit.aws.function import Function
from patchbay.testkit.aws.iam import Call, allows
from patchbay.testkit.errors import NotInTheKit
from patchbay.testkit.reading.intrinsics import REGION
from patchbay.testkit.templates import Templates

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NOTIFIED = {"PutObject", "CopyObject", "CompleteMultipartUpload", "DeleteObject"}
# Functions always call over TLS, because boto3 does.
OVER_TLS = {"aws:SecureTransport": ["true"]}


class Buckets:
    """The buckets of the templates."""

    def __init__(self, templates: Templates) -> None:
        self._policies = {
            each.name: templates.policies_of("AWS::S3::BucketPolicy", "Bucket", each.name)
            for each in templates.all("AWS::S3::Bucket")
        }
        self._notifying = {
            str(each.properties.get("BucketName")): each
            for each in templates.all("Custom::S3BucketNotifications")
        }
        self._notifying |= {
            each.name: each
            for each in templates.all("AWS::S3::Bucket")
            if "NotificationConfiguration" in each.properties
        }
        for name in self._policies:
            _client().create_bucket(Bucket=name)

    @property
    def _claims(self) -> str:
        (name,) = [name for name in self._policies if "-claims-" in name]
        return name

    def put(self, key: str, body: bytes) -> None:
        """Put an object into the bucket of claims."""
        _client().put_object(Bucket=self._claims, Key=key, Body=body)

    def keys(self) -> list[str]:
        """Return the keys in the bucket of claims."""
        found = _client().list_objects_v2(Bucket=self._claims).get("Contents", [])
        return [each["Key"] for each in found]

    def forget(self, key: str) -> None:
        """Delete an object, as the bucket's lifecycle would."""
        _client().delete_object(Bucket=self._claims, Key=key)

    def check_notifications(self, operation: str, bucket: str) -> None:
        """Raise NotInTheKit if a call would cause a notification of the bucket."""
        if bucket in self._notifying and operation in _NOTIFIED:
            raise NotInTheKit(
                f"{operation} on {bucket} would send the notifications of "
                f"{self._notifying[bucket]}, which the test kit does not simulate: invoke the "
                "function with `cloud.client('lambda').invoke(…)`, or test on the embedded cloud "
                "or on AWS."
            )

    def denies(self, call: Call) -> bool:
        """Return whether the bucket's policy denies a call."""
        bucket = call.resource.rpartition(":")[2].partition("/")[0]
        denials = [each for each in self._policies.get(bucket, ()) if each["Effect"] == "Deny"]
        asked = Call(call.action, call.resource, {**call.context, **OVER_TLS})
        # A denial matches a call if the same statement with Allow would allow it.
        return allows([{**each, "Effect": "Allow"} for each in denials], asked)

    @staticmethod
    def ask(caller: Function | None, bucket: str, real: Callable[[], Any]) -> Any:
        """Call moto. A missing key is AccessDenied for a caller that may not list the bucket."""
        try:
            return real()
        except ClientError as error:
            may_list = Call("s3:ListBucket", f"arn:aws:s3:::{bucket}", OVER_TLS)
            if error.response["Error"]["Code"] != "NoSuchKey" or caller is None:
                raise
            if allows(caller.statements, may_list):
                raise
            response: Mapping[str, Any] = {
                "Error": {"Code": "AccessDenied", "Message": "Access Denied"}
            }
            raise ClientError(response, error.operation_name) from error  # type: ignore[arg-type]


@cache
def _client() -> "S3Client":
    return boto3.client("s3", region_name=REGION)
