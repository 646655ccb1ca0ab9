"""Waits for a condition, never for a length of time."""

import time
from collections.abc import Callable

from patchbay.errors import UserError

INTERVAL = 0.05  # seconds between two looks


class NotInTime(UserError):
    """What was waited for did not come about before the deadline."""


def wait_until(condition: Callable[[], bool], what: str, seconds: float) -> None:
    """Return once `condition` holds; raises NotInTime, which names `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NotInTime(f"Waited {seconds:g} s in vain: {what}.")
        time.sleep(INTERVAL)
