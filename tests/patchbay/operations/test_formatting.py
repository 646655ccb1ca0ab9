"""Formats of numbers for people."""

import pytest

from patchbay.operations.formatting import count, cut, duration, rate


@pytest.mark.parametrize(
    ("seconds", "read"),
    [
        (None, "—"),
        (0, "0 ms"),
        (0.31, "310 ms"),
        (6.24, "6.2 s"),
        (94, "94 s"),
        (310, "5 min"),
        (3 * 3600, "3 h"),
        (4 * 86400, "4 days"),
    ],
)
def test_a_duration_is_formatted_in_a_unit_that_fits(seconds: float | None, read: str) -> None:
    assert duration(seconds) == read


@pytest.mark.parametrize(
    ("per_second", "read"),
    [(None, "—"), (0, "0.0/s"), (0.02, "1.2/min"), (4.14, "4.1/s"), (123.4, "123/s")],
)
def test_a_low_rate_is_formatted_by_the_minute(per_second: float | None, read: str) -> None:
    assert rate(per_second) == read


def test_a_count_has_separators_between_thousands() -> None:
    assert count(100_000) == "100,000"


def test_a_long_text_is_cut_to_its_first_line() -> None:
    assert cut("why\nTraceback …") == "why"
    assert cut("x" * 500, most=10) == "x" * 9 + "…"
