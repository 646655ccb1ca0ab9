"""Steps: functions that call the next function, and wait for its answer."""

import json
import os
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from patchbay.messaging.backoff import full_jitter
from patchbay.messaging.telemetry import logger

ATTEMPTS = 3
BACKOFF_BASE = 0.2  # seconds: short, because a customer waits
BACKOFF_CAP = 1.0  # seconds

Answer = dict[str, Any]

# No retries by the client: it would repeat a call that timed out, and the step would do its work
# again.
_lambda: Any = boto3.client(
    "lambda",
    config=Config(
        read_timeout=int(os.environ.get("PATIENCE", "10")), retries={"total_max_attempts": 1}
    ),
)


class StepFailed(Exception):
    """A step failed; the message has its name and the reason."""


class _Transient(Exception):
    """A retry may succeed."""


def step(function: Callable[[Answer], Answer]) -> Callable[[Answer, LambdaContext], Answer]:
    """Make `function` the handler of a step, which returns its failures as answers.

    The embedded cloud discards an environment whose function has raised, where AWS keeps it: each
    raised failure would cost a cold start.
    """

    @wraps(function)
    def handler(event: Answer, context: LambdaContext) -> Answer:
        try:
            return function(event)
        except StepFailed as failure:
            return {"failed": str(failure)}
        except Exception as failure:  # noqa: BLE001 - the caller retries it
            logger().warning("failed", reason=str(failure), correlation_id=event.get("order_id"))
            return {"raised": str(failure)}

    return handler


def call(name: str, payload: Answer) -> Answer:
    """Invoke a step, and return its answer; raises StepFailed.

    A throttle or an exception is retried, with backoff. The failure of a later step is raised at
    once: the step that called it has retried it already.
    """
    attempt = 1
    while True:
        try:
            return _invoke(name, payload)
        except _Transient as failure:
            if attempt == ATTEMPTS:
                raise StepFailed(f"{name}: {failure}") from failure
        time.sleep(full_jitter(attempt, base=BACKOFF_BASE, cap=BACKOFF_CAP))
        attempt += 1


def _invoke(name: str, payload: Answer) -> Answer:
    try:
        response = _lambda.invoke(
            FunctionName=os.environ[f"{name.upper()}_FUNCTION"], Payload=json.dumps(payload)
        )
    except ClientError as error:
        raise _Transient(error.response["Error"]["Code"]) from error
    except BotoCoreError as error:
        raise StepFailed(f"{name}: {error}") from error
    answer: Answer = json.loads(response["Payload"].read())
    if "FunctionError" in response:
        raise _Transient(str(answer.get("errorMessage")))
    if "raised" in answer:
        raise _Transient(answer["raised"])
    if "failed" in answer:
        raise StepFailed(answer["failed"])
    return answer
