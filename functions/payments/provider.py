"""The payment provider, a third party that is reached over HTTP.

Its credential is a secret in Secrets Manager. The function caches it, and reads it again after
CREDENTIAL_TTL or when the provider refuses it, so its rotation needs no deployment.
"""

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

from patchbay.messaging import Reject

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider

TIMEOUT = 5  # seconds: well below the function's own, so that it can still report the failure
# AWS recommends to cache a secret in the function:
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/best-practices.html
CREDENTIAL_TTL = 300  # seconds

# The provider will never accept a request that it can't read, or whose content is wrong. Every
# other refusal may pass: a credential is renewed (401, 403), a charge with the same key is still in
# progress (409), a route is deployed again (404), the request was too early or too slow (425, 408).
FINAL = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
REFUSES_CREDENTIAL = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class Declined(Exception):
    """The provider declined the charge; the message is its reason."""


class ProviderUnavailable(Exception):
    """The provider did not respond, or responded with an error."""


_aws = boto3.Session()
# `verify` accepts a file of certificates as well, though its type does not say so.
_verify: Any = os.environ.get("AWS_CA_BUNDLE", True)
_http = URLLib3Session(timeout=TIMEOUT, verify=_verify)


def charge(order_id: str, customer_id: str, amount: Decimal) -> str:
    """Charge the customer once for the order, and return the payment's id.

    The order id is the provider's idempotency key: a repeated call for the same order returns the
    same charge. Raises Declined, ProviderUnavailable, and Reject for a request that the provider
    does not understand.
    """
    request = {"order_id": order_id, "customer_id": customer_id, "amount": str(amount)}
    return _payment_id(*_post("/charges", request, idempotency_key=order_id))


def refund(order_id: str, amount: Decimal) -> str:
    """Refund once what was charged for the order, and return the refund's id.

    A repeated call for the same order returns the same refund. Raises the same as `charge`.
    """
    request = {"order_id": order_id, "amount": str(amount)}
    return _payment_id(*_post("/refunds", request, idempotency_key=order_id))


def _payment_id(status: int, answer: Mapping[str, Any]) -> str:
    if status == HTTPStatus.PAYMENT_REQUIRED:
        raise Declined(answer.get("reason", "no reason given"))
    if status in FINAL:
        raise Reject(f"the payment provider refused the request with {status}: {answer}")
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise ProviderUnavailable(f"the payment provider answered {status}")
    if "id" not in answer:
        raise ProviderUnavailable(f"the payment provider answered {status}, but with no payment id")
    return str(answer["id"])


def _post(path: str, body: dict[str, str], *, idempotency_key: str) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key}
    content = json.dumps(body).encode()
    secret = os.environ.get("PAYMENT_PROVIDER_SECRET")
    if secret is None:
        return _read(*_send(path, content, headers))
    used = _credential(secret)
    status, answer = _send(path, content, _authorized(headers, used))
    if status in REFUSES_CREDENTIAL:
        renewed = _credential(secret, force_fetch=True)
        if renewed != used:
            status, answer = _send(path, content, _authorized(headers, renewed))
    return _read(status, answer)


def _authorized(headers: Mapping[str, str], credential: str) -> dict[str, str]:
    return {**headers, "Authorization": f"Bearer {credential}"}


def _credential(secret: str, *, force_fetch: bool = False) -> str:
    value = _secrets().get(secret, max_age=CREDENTIAL_TTL, force_fetch=force_fetch)
    return str(value).strip()


@cache
def _secrets() -> "SecretsProvider":
    # Imported here: with the sandbox, the function does not pay for loading it.
    from aws_lambda_powertools.utilities.parameters import SecretsProvider

    return SecretsProvider()


def _send(path: str, content: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    request = AWSRequest(
        method="POST",
        url=os.environ["PAYMENT_PROVIDER_URL"].rstrip("/") + path,
        data=content,
        headers=dict(headers),
    )
    if os.environ.get("PAYMENT_PROVIDER_AUTH") == "iam":
        credentials: Any = _aws.get_credentials()
        SigV4Auth(credentials, "lambda", _aws.region_name).add_auth(request)
    try:
        response = _http.send(request.prepare())
    except BotoCoreError as error:
        raise ProviderUnavailable(f"the payment provider did not answer: {error}") from error
    return response.status_code, response.content


def _read(status: int, content: bytes) -> tuple[int, dict[str, Any]]:
    """Return the JSON object of a response; raises ProviderUnavailable for anything else."""
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ProviderUnavailable(f"the payment provider answered {status}, but no JSON object")
    return status, answer
