"""A call with room on the stack does what it does without."""

import pytest

from patchbay.testkit.running.stack_room import with_room


def depth(levels: int) -> int:
    return with_room(lambda: depth(levels - 1)) + 1 if levels else 0


def test_it_returns_what_the_function_returns() -> None:
    assert with_room(lambda: "watered") == "watered"


def test_it_raises_what_the_function_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        with_room(lambda: 1 // 0)


def test_calls_with_room_may_be_nested() -> None:
    assert depth(100) == 100
