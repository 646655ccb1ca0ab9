"""One step calls the next, and waits for its answer."""

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
BACKOFF_BASE = 0.2  # seconds: a customer waits here
BACKOFF_CAP = 1.0  # seconds

Answer = dict[str, Any]

# One attempt for each of ours: with its own retries, the client would repeat a call that took all
# the time it was given, and the step would do its work three times over.
_lambda: Any = boto3.client(
    "lambda",
    config=Config(
        read_timeout=int(os.environ.get("PATIENCE", "10")), retries={"total_max_attempts": 1}
    ),
)


class StepFailed(Exception):
    """A step did not do its work; its text says which, and why."""


class _Again(Exception):
    """It may go better the next time."""


def step(function: Callable[[Answer], Answer]) -> Callable[[Answer, LambdaContext], Answer]:
    """Make `function` the handler of a step, whose failures its caller can tell apart.

    They are answers: the embedded cloud throws an environment away whose function has raised,
    where AWS keeps it, and every failure would cost a cold start.
    """

    @wraps(function)
    def handler(event: Answer, context: LambdaContext) -> Answer:
        try:
            return function(event)
        except StepFailed as failure:
            return {"failed": str(failure)}
        except Exception as trouble:  # noqa: BLE001 - its caller tries again
            logger().warning("failed", reason=str(trouble), correlation_id=event.get("order_id"))
            return {"raised": str(trouble)}

    return handler


def call(name: str, payload: Answer) -> Answer:
    """Invoke a step, and return its answer; raises StepFailed.

    What was throttled or raised is tried again, with backoff. A step whose own next step failed
    has tried that often enough: its failure is passed on at once.
    """
    attempt = 1
    while True:
        try:
            return _invoke(name, payload)
        except _Again as trouble:
            if attempt == ATTEMPTS:
                raise StepFailed(f"{name}: {trouble}") from trouble
        time.sleep(full_jitter(attempt, base=BACKOFF_BASE, cap=BACKOFF_CAP))
        attempt += 1


def _invoke(name: str, payload: Answer) -> Answer:
    try:
        response = _lambda.invoke(
            FunctionName=os.environ[f"{name.upper()}_FUNCTION"], Payload=json.dumps(payload)
        )
    except ClientError as error:
        raise _Again(error.response["Error"]["Code"]) from error
    except BotoCoreError as error:
        raise StepFailed(f"{name}: {error}") from error
    answer: Answer = json.loads(response["Payload"].read())
    if "FunctionError" in response:
        raise _Again(str(answer.get("errorMessage")))
    if "raised" in answer:
        raise _Again(answer["raised"])
    if "failed" in answer:
        raise StepFailed(answer["failed"])
    return answer
