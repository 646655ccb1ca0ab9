"""Chunks of a sequence, within the limits that AWS sets for one request."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def chunks(
    items: Sequence[T],
    most: int,
    *,
    size: Callable[[T], int] = lambda item: 0,
    max_size: int = 0,
    fits: Callable[[list[T], T], bool] = lambda chunk, item: True,
) -> Iterator[list[T]]:
    """Yield all items in their order, in chunks of at most `most` items.

    With `size`, the sizes of a chunk's items add up to at most `max_size`; an item that is larger
    stands alone. With `fits`, an item that does not fit into a chunk begins the next one.
    """
    chunk: list[T] = []
    total = 0
    for item in items:
        its_size = size(item)
        if chunk and (len(chunk) == most or total + its_size > max_size or not fits(chunk, item)):
            yield chunk
            chunk, total = [], 0
        chunk.append(item)
        total += its_size
    if chunk:
        yield chunk
