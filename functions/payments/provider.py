"""The payment provider, a third party that is reached over HTTP."""

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

from patchbay.messaging import Reject

TIMEOUT = 5  # seconds: well below the function's own, so that it can still report the failure


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
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ProviderUnavailable(f"the payment provider answered {status}")
    if status >= HTTPStatus.BAD_REQUEST:
        raise Reject(f"the payment provider refused the request with {status}: {answer}")
    if "id" not in answer:
        raise ProviderUnavailable(f"the payment provider answered {status}, but with no payment id")
    return str(answer["id"])


def _post(path: str, body: dict[str, str], *, idempotency_key: str) -> tuple[int, dict[str, Any]]:
    request = AWSRequest(
        method="POST",
        url=os.environ["PAYMENT_PROVIDER_URL"].rstrip("/") + path,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Idempotency-Key": idempotency_key},
    )
    if os.environ.get("PAYMENT_PROVIDER_AUTH") == "iam":
        credentials: Any = _aws.get_credentials()
        SigV4Auth(credentials, "lambda", _aws.region_name).add_auth(request)
    try:
        response = _http.send(request.prepare())
    except BotoCoreError as error:
        raise ProviderUnavailable(f"the payment provider did not answer: {error}") from error
    return response.status_code, _object(response.status_code, response.content)


def _object(status: int, content: bytes) -> dict[str, Any]:
    """Return the JSON object of a response; raises ProviderUnavailable for anything else."""
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ProviderUnavailable(f"the payment provider answered {status}, but no JSON object")
    return answer
