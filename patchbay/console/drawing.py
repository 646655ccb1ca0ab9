"""Scales of the map: the fill of a queue, and the pace of a connection."""

from math import log10

FULL = 1000  # messages: a queue with as many is drawn full
FASTEST = 50.0  # events a second: above that, a connection looks no busier


def fill(waiting: int) -> float:
    """Return the fill of a queue, from 0 to 1: ten times as many messages add a third."""
    return round(min(1.0, log10(1 + waiting) / log10(1 + FULL)), 3)


def pace(per_second: float | None) -> float:
    """Return the pace of a connection, from 0 to 1, on a logarithmic scale."""
    if not per_second:
        return 0.0
    return round(min(1.0, log10(1 + 10 * per_second) / log10(1 + 10 * FASTEST)), 3)
