"""The fill of queues and the pace of connections."""

from patchbay.console.drawing import fill, pace


def test_a_few_messages_fill_a_queue_visibly_and_many_never_overfill_it() -> None:
    fills = [fill(waiting) for waiting in (0, 1, 10, 100, 1000, 100_000)]
    assert fills[0] == 0
    assert fills[1] >= 0.1
    assert fills == sorted(fills)
    assert fills[-1] == 1


def test_a_connection_looks_busier_with_more_events_and_idle_without_any() -> None:
    assert pace(None) == pace(0) == 0
    assert 0 < pace(0.1) < pace(4) < pace(40) < pace(4000) == 1
