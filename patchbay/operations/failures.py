"""Expected failures, and messages for them that say what happened and what to do."""

import re
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    SSLError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from patchbay.errors import UserError
from patchbay.operations.clients import NO_CREDENTIALS

EXPECTED = (UserError, BotoCoreError, ClientError)
"""The exceptions of a user's mistake, or of a request that AWS refuses or does not answer."""

DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
UNKNOWN = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
}
SIGN_IN = "Sign in again: `aws sso login`, or set AWS_PROFILE."
UNREACHABLE = (
    "Check the network, and that AWS_ENDPOINT_URL names a running cloud. For the local cloud, use "
    "the lines that `make local` prints: each run has its own."
)
_ACTION = re.compile(r"(?:perform:?|action:?|allows the)\s+([a-z0-9-]+:[A-Za-z]+)")
_RESOURCE = re.compile(r"on resource:?\s+(\S+)")


def explain(error: Exception) -> str:
    """Return a message of a sentence or two for an expected failure."""
    match error:
        case ClientError():
            return _refused(error)
        case NoCredentialsError():
            return NO_CREDENTIALS
        case ProfileNotFound():
            return (
                f"{error}. Set AWS_PROFILE to a profile that `aws configure list-profiles` shows."
            )
        case TokenRetrievalError() | UnauthorizedSSOTokenError():
            return f"The AWS credentials have expired. {SIGN_IN}"
        case EndpointConnectionError() | ConnectTimeoutError():
            return f"{_endpoint(error)} does not answer. {UNREACHABLE}"
        case SSLError():
            return f"The request to AWS failed: {error}. Check AWS_CA_BUNDLE."
        case BotoCoreError():
            return f"The request to AWS failed: {error}"
    return str(error)


def _endpoint(error: BotoCoreError) -> str:
    named: Any = error.kwargs.get("endpoint_url")
    return str(named or "AWS")


def _refused(error: ClientError) -> str:
    details = error.response.get("Error", {})
    code, message = str(details.get("Code", "")), str(details.get("Message", ""))
    if code in EXPIRED:
        return f"The AWS credentials have expired. {SIGN_IN}"
    if code in UNKNOWN:
        return (
            f"AWS does not know these credentials ({code}). Check that they are valid, and of "
            "this account. For the local cloud, use the lines that `make local` prints: each run "
            "has its own."
        )
    if code in DENIED:
        return _denied(str(error.operation_name), message)
    return f"The request to AWS failed: {error}"


def _denied(operation: str, message: str) -> str:
    action = _ACTION.search(message)
    if not action:
        return f"Not permitted: these credentials lack a permission for {operation}. {message}"
    resource = _RESOURCE.search(message)
    where = f" on {resource[1]}" if resource else ""
    return f"Not permitted: these credentials lack {action[1]}{where}."
