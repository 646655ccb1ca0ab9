"""The messages for requests that AWS refuses, or does not answer."""

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    SSLError,
    UnauthorizedSSOTokenError,
)

from patchbay.errors import UserError
from patchbay.operations.failures import explain

USER = "arn:aws:iam::123456789012:user/ann"
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:records-dev-alerts"


def refused(code: str, message: str = "", operation: str = "ReceiveMessage") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (UserError("There is no consumer 'x'."), "There is no consumer 'x'."),
        (NoCredentialsError(), "No AWS credentials: sign in with `aws sso login`"),
        (UnauthorizedSSOTokenError(), "The AWS credentials have expired. Sign in again"),
        (refused("ExpiredToken", "it is included"), "The AWS credentials have expired. Sign in"),
        (refused("ExpiredTokenException"), "The AWS credentials have expired. Sign in again"),
        (refused("InvalidClientTokenId"), "AWS does not know these credentials"),
        (
            ProfileNotFound(profile="notes"),
            "(notes) could not be found. Set AWS_PROFILE to a profile",
        ),
        (
            EndpointConnectionError(endpoint_url="https://127.0.0.1:4566/"),
            "https://127.0.0.1:4566/ does not answer. Check the network",
        ),
        (
            SSLError(endpoint_url="https://a/", error=OSError("x")),
            "Check AWS_CA_BUNDLE.",
        ),
        (refused("Throttling", "slow down"), "The request to AWS failed: "),
    ],
)
def test_the_message_says_what_happened_and_what_to_do(error: Exception, message: str) -> None:
    assert message in explain(error)


@pytest.mark.parametrize(
    ("code", "message", "lacks"),
    [
        (  # SQS, Lambda and most others
            "AccessDenied",
            f"User: {USER} is not authorized to perform: sqs:receivemessage on resource: {QUEUE} "
            "because no identity-based policy allows the sqs:receivemessage action",
            f"sqs:receivemessage on {QUEUE}.",
        ),
        (  # without a resource
            "AccessDeniedException",
            f"User: {USER} is not authorized to perform: lambda:ListEventSourceMappings because no "
            "identity-based policy allows the lambda:ListEventSourceMappings action",
            "lambda:ListEventSourceMappings.",
        ),
        (  # a service control policy
            "AccessDeniedException",
            f"User: {USER} is not authorized to perform: events:PutEvents on resource: {QUEUE} "
            "with an explicit deny in a service control policy",
            f"events:PutEvents on {QUEUE}.",
        ),
        (  # the embedded cloud, and S3
            "AccessDenied",
            "Access Denied because no identity-based policy allows the s3:GetObject action",
            "s3:GetObject.",
        ),
        ("AccessDenied", "Access Denied", "a permission for ReceiveMessage. Access Denied"),
    ],
)
def test_the_missing_permission_is_named(code: str, message: str, lacks: str) -> None:
    assert explain(refused(code, message)) == f"Not permitted: these credentials lack {lacks}"
