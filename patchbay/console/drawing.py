"""Scales of what the map draws."""

from math import log10

FULL = 1000  # messages with which a queue is drawn full
FASTEST = 50.0  # events a second, above which a cable looks no busier


def fill(waiting: int) -> float:
    """Return how full a queue is drawn, from 0 to 1: ten times as much is a third more."""
    return round(min(1.0, log10(1 + waiting) / log10(1 + FULL)), 3)


def pace(per_second: float | None) -> float:
    """Return how busy a connection is drawn, from 0 to 1: ten times as much is about half more."""
    if not per_second:
        return 0.0
    return round(min(1.0, log10(1 + 10 * per_second) / log10(1 + 10 * FASTEST)), 3)
