"""Retries: the wait before one, and a client that makes none."""

import random
from typing import Any

BASE = 1.0  # seconds: the longest wait before the first retry
CAP = 900.0  # seconds: the longest wait before any retry


def full_jitter(attempt: int, *, base: float = BASE, cap: float = CAP) -> float:
    """Return a random wait in seconds after the `attempt`-th failure, counted from 1.

    It is exponential backoff with full jitter: between 0 and the longest wait, so that consumers
    that failed at the same time are not retried at the same time.
    """
    # 2 ** 64 seconds is past any cap; a larger exponent only risks an overflow.
    window = min(cap, base * 2.0 ** min(attempt - 1, 64))
    return random.uniform(0, window)  # noqa: S311 - it spreads load, and protects nothing


def client_without_retries(service: str) -> Any:
    """Return a boto3 client that sends each request once, for calls that are not idempotent.

    By default botocore repeats a request that was answered with a 5xx or not at all, although the
    service may have performed it: a mail goes out several times in one attempt of the handler. The
    queue retries the handler. https://docs.aws.amazon.com/botocore/latest/reference/config.html:
    `total_max_attempts` counts the first request, while `max_attempts` counts the retries only.
    """
    # Imported here: a function that makes no such call does not pay for loading it.
    import boto3
    from botocore.config import Config

    make_client: Any = boto3.client
    return make_client(service, config=Config(retries={"total_max_attempts": 1}))
