"""Numbers, as people read them."""

import pytest

from operations.console.figures import count, cut, duration, fill, pace, rate


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
def test_a_length_of_time_is_given_in_the_unit_that_fits(seconds: float | None, read: str) -> None:
    assert duration(seconds) == read


@pytest.mark.parametrize(
    ("per_second", "read"),
    [(None, "—"), (0, "0.0/s"), (0.02, "1.2/min"), (4.14, "4.1/s"), (123.4, "123/s")],
)
def test_what_is_rare_is_counted_by_the_minute(per_second: float | None, read: str) -> None:
    assert rate(per_second) == read


def test_a_count_has_its_thousands_apart() -> None:
    assert count(100_000) == "100,000"


def test_a_queue_fills_visibly_with_a_few_and_is_never_more_than_full() -> None:
    drawn = [fill(waiting) for waiting in (0, 1, 10, 100, 1000, 100_000)]
    assert drawn[0] == 0
    assert drawn[1] >= 0.1
    assert drawn == sorted(drawn)
    assert drawn[-1] == 1


def test_a_cable_looks_busier_with_more_and_still_with_none() -> None:
    assert pace(None) == pace(0) == 0
    assert 0 < pace(0.1) < pace(4) < pace(40) < pace(4000) == 1


def test_a_long_text_is_cut_to_its_first_line() -> None:
    assert cut("why\nTraceback …") == "why"
    assert cut("x" * 500, most=10) == "x" * 9 + "…"
