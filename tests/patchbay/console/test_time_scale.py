"""The scale of a time line."""

from datetime import UTC, datetime, timedelta

from patchbay.console.time_scale import TimeScale

START = datetime(2026, 1, 31, 9, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_moments_are_placed_in_proportion_to_the_time_between_them() -> None:
    scale = TimeScale([after(0), after(1), after(4)])
    assert [scale.x(after(second)) for second in (0, 1, 4)] == [0, 25, 100]
    assert [mark.text for mark in scale.marks()] == ["0", "+1.0 s", "+2.0 s", "+3.0 s", "+4.0 s"]


def test_a_long_pause_is_drawn_short_with_its_duration() -> None:
    scale = TimeScale([after(0), after(1), after(2), after(3602), after(3603)])
    assert 25 < scale.x(after(1)) < 35
    assert scale.x(after(3602)) - scale.x(after(2)) == 12
    assert [mark.text for mark in scale.marks() if mark.is_silence] == ["⋯ 60 min"]
    places = [scale.x(after(second)) for second in (0, 1, 2, 2000, 3602, 3603)]
    assert places == sorted(places)


def test_a_single_moment_has_a_scale_too() -> None:
    scale = TimeScale([after(0), after(0)])
    assert scale.x(after(0)) == 0
    assert [mark.text for mark in scale.marks()] == ["0"]
