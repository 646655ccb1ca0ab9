"""The wait before a retry: exponential backoff with full jitter."""

import random

BASE = 1.0  # seconds: the longest wait before the first retry
CAP = 900.0  # seconds: the longest wait before any retry


def full_jitter(attempt: int, *, base: float = BASE, cap: float = CAP) -> float:
    """Return a random wait in seconds after the `attempt`-th failure, counted from 1.

    It is between 0 and the longest wait, so that consumers that failed at the same time are not
    retried at the same time.
    """
    # 2 ** 64 seconds is past any cap; a larger exponent only risks an overflow.
    window = min(cap, base * 2.0 ** min(attempt - 1, 64))
    return random.uniform(0, window)  # noqa: S311 - it spreads load, and protects nothing
