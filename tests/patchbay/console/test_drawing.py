"""How much of something is drawn."""

from patchbay.console.drawing import fill, pace


def test_a_queue_fills_visibly_with_a_few_and_is_never_more_than_full() -> None:
    drawn = [fill(waiting) for waiting in (0, 1, 10, 100, 1000, 100_000)]
    assert drawn[0] == 0
    assert drawn[1] >= 0.1
    assert drawn == sorted(drawn)
    assert drawn[-1] == 1


def test_a_cable_looks_busier_with_more_and_still_with_none() -> None:
    assert pace(None) == pace(0) == 0
    assert 0 < pace(0.1) < pace(4) < pace(40) < pace(4000) == 1
