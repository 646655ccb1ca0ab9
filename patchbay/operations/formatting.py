"""Formats of numbers for people."""

import statistics
from collections.abc import Sequence

UNKNOWN = "—"


def duration(seconds: float | None) -> str:
    """Format a duration, in a unit that fits it."""
    if seconds is None:
        return UNKNOWN
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    if seconds < 2 * 86400:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} days"


def rate(per_second: float | None) -> str:
    """Format a number of events a second."""
    if per_second is None:
        return UNKNOWN
    if 0 < per_second < 0.1:
        return f"{per_second * 60:.1f}/min"
    return f"{per_second:.1f}/s" if per_second < 10 else f"{per_second:.0f}/s"


def cut(text: str, most: int = 200) -> str:
    """Return the first line of a text, cut at `most` characters."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= most else line[: most - 1] + "…"


def count(number: int) -> str:
    """Format a number with separators between thousands."""
    return f"{number:,}"


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Return the value that `percent` of the values don't exceed; None without values."""
    if len(values) < 2:
        return values[0] if values else None
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
