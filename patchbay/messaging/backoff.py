"""How long to wait before trying again: exponential backoff with full jitter."""

import random

BASE = 1.0  # seconds: the longest wait before the first retry
CAP = 900.0  # seconds: the longest wait before any retry


def full_jitter(attempt: int, *, base: float = BASE, cap: float = CAP) -> float:
    """Seconds to wait after the `attempt`-th failure (counted from 1), anywhere in its window.

    The whole window is open, so that consumers that failed together don't come back together.
    """
    # 2 ** 64 seconds is past any cap; a larger exponent only risks an overflow.
    window = min(cap, base * 2.0 ** min(attempt - 1, 64))
    return random.uniform(0, window)  # noqa: S311 - spreads load, hides nothing
