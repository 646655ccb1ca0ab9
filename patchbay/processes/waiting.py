"""Waiting for a condition, with a deadline."""

import time
from collections.abc import Callable

from patchbay.errors import UserError

INTERVAL = 0.05  # seconds between two checks


class NotInTime(UserError):
    """A condition did not hold before the deadline."""


def wait_until(condition: Callable[[], bool], what: str, seconds: float) -> None:
    """Return once `condition` holds; raises NotInTime, whose message has `what`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NotInTime(f"Timed out after {seconds:g} s of waiting for {what}.")
        time.sleep(INTERVAL)
