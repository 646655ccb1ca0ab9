"""How much of something is drawn."""

from patchbay.console.drawing import fill, pace


def test_a_queue_fills_visibly_with_a_few_and_is_never_more_than_full() -> None:
    render = [fill(waiting) for waiting in (0, 1, 10, 100, 1000, 100_000)]
    assert render[0] == 0
    assert render[1] >= 0.1
    assert render == sorted(render)
    assert render[-1] == 1


def test_a_connection_looks_busier_with_more_and_still_with_none() -> None:
    assert pace(None) == pace(0) == 0
    assert 0 < pace(0.1) < pace(4) < pace(40) < pace(4000) == 1
