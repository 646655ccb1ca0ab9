import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchbay.messaging.backoff import full_jitter

ATTEMPTS = st.integers(1, 10_000)
BASES = st.floats(0.001, 10)
CAPS = st.floats(0.001, 43_200)


@given(ATTEMPTS, BASES, CAPS)
def test_a_wait_is_never_negative_and_never_above_the_cap(
    attempt: int, base: float, cap: float
) -> None:
    assert 0 <= full_jitter(attempt, base=base, cap=cap) <= cap


@given(st.integers(1, 30), BASES)
def test_a_wait_is_within_its_attempt_s_window(attempt: int, base: float) -> None:
    assert full_jitter(attempt, base=base, cap=float("inf")) <= base * 2 ** (attempt - 1)


@pytest.mark.usefixtures("longest_backoff")
def test_the_window_doubles_with_each_attempt_up_to_the_cap() -> None:
    windows = [full_jitter(attempt, base=1, cap=30) for attempt in range(1, 9)]
    assert windows == [1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.usefixtures("longest_backoff")
def test_the_longest_wait_is_fifteen_minutes_and_the_first_a_second() -> None:
    assert full_jitter(1) == 1
    assert full_jitter(100) == 900


@pytest.mark.usefixtures("longest_backoff")
def test_a_very_late_attempt_waits_for_the_cap() -> None:
    assert full_jitter(2_000_000, cap=900) == 900


def test_the_whole_window_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda shortest, _: shortest)
    assert full_jitter(10) == 0
