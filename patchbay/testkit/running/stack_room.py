"""Room on Python's stack, so that calls deep down do not ask the system for memory each time.

CPython keeps frames in chunks of 16 KiB, and frees a chunk when its first frame returns. A call
that begins a new chunk, in a loop, maps and unmaps memory each time. It took a fifth of a test's
time.
"""

from collections.abc import Callable
from types import FunctionType
from typing import TypeVar

T = TypeVar("T")
_SLOTS = 16 * 1024  # 128 KiB: the chunk is the next power of two, and the rest is for the callees


def _call(function: Callable[[], T]) -> T:
    return function()


with_room: Callable[[Callable[[], T]], T] = FunctionType(
    _call.__code__.replace(co_stacksize=_SLOTS), {}
)
"""Call a function with a chunk of the stack to itself; return what it returns."""
