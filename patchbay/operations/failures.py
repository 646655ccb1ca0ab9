"""Expected failures in one line, which says what happened and what to do."""

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
"""What may happen to who asks AWS, and is no mistake of ours."""

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
    "Is there a network, and does AWS_ENDPOINT_URL name what runs? For the local cloud, use the "
    "lines that `make local` prints: each run has its own."
)
_ACTION = re.compile(r"(?:perform:?|action:?|allows the)\s+([a-z0-9-]+:[A-Za-z]+)")
_RESOURCE = re.compile(r"on resource:?\s+(\S+)")


def explain(error: Exception) -> str:
    """Return an expected failure in a sentence or two."""
    match error:
        case ClientError():
            return _refused(error)
        case NoCredentialsError():
            return NO_CREDENTIALS
        case ProfileNotFound():
            return (
                f"{error}. AWS_PROFILE names it; `aws configure list-profiles` shows what is there."
            )
        case TokenRetrievalError() | UnauthorizedSSOTokenError():
            return f"The AWS credentials have expired. {SIGN_IN}"
        case EndpointConnectionError() | ConnectTimeoutError():
            return f"{_endpoint(error)} does not answer. {UNREACHABLE}"
        case SSLError():
            return f"AWS could not be asked: {error}. AWS_CA_BUNDLE names whom to trust."
        case BotoCoreError():
            return f"AWS could not be asked: {error}"
    return str(error)


def _endpoint(error: BotoCoreError) -> str:
    named: Any = error.kwargs.get("endpoint_url")
    return str(named or "AWS")


def _refused(error: ClientError) -> str:
    told = error.response.get("Error", {})
    code, message = str(told.get("Code", "")), str(told.get("Message", ""))
    if code in EXPIRED:
        return f"The AWS credentials have expired. {SIGN_IN}"
    if code in UNKNOWN:
        return (
            f"AWS does not know these credentials ({code}): are they this account's, and still "
            "valid? For the local cloud, use the lines that `make local` prints: each run has its "
            "own."
        )
    if code in DENIED:
        return _denied(str(error.operation_name), message)
    return f"AWS could not be asked: {error}"


def _denied(operation: str, message: str) -> str:
    action = _ACTION.search(message)
    if not action:
        return f"Not permitted: these credentials lack what {operation} takes. {message}"
    resource = _RESOURCE.search(message)
    where = f" on {resource[1]}" if resource else ""
    return f"Not permitted: these credentials lack {action[1]}{where}."
