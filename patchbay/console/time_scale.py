"""The scale of a time line."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from patchbay.operations.formatting import duration

MARKS = 4  # parts of an axis without a long pause
SILENCE = 0.6  # of the remaining time: a pause that takes this share is drawn short
SHORTEST = 10.0  # seconds of such a pause
SILENCES = 3  # such pauses, at most
DRAWN = 12.0  # percent of the width, for each


@dataclass(frozen=True)
class Mark:
    """A mark on the axis."""

    x: float
    """Percent of the width."""
    text: str
    is_silence: bool = False


@dataclass(frozen=True)
class _Piece:
    """A part of the time, in seconds, and its place on the axis, in percent."""

    start: float
    end: float
    x: float
    width: float
    is_silence: bool


class TimeScale:
    """A linear scale on which long pauses are drawn short, so that busy seconds stay visible."""

    def __init__(self, moments: Iterable[datetime]) -> None:
        known = sorted(set(moments))
        self._from = known[0]
        self._pieces = _pieces([self._seconds(moment) for moment in known])

    def x(self, moment: datetime) -> float:
        """Return the place of a moment, in percent of the width."""
        seconds = self._seconds(moment)
        piece = next((each for each in self._pieces if seconds <= each.end), self._pieces[-1])
        length = piece.end - piece.start
        part = (seconds - piece.start) / length if length else 0.0
        return round(piece.x + piece.width * min(1.0, max(0.0, part)), 2)

    def marks(self) -> list[Mark]:
        """Return the marks on the axis."""
        if len(self._pieces) == 1:
            (piece,) = self._pieces
            parts = [number / MARKS for number in range(MARKS + 1)] if piece.end else [0.0]
            return [Mark(piece.width * part, _elapsed(piece.end * part)) for part in parts]
        found = []
        for piece in self._pieces:
            if piece.is_silence:
                text = f"⋯ {duration(piece.end - piece.start)}"
                found.append(Mark(piece.x + piece.width / 2, text, is_silence=True))
            elif piece.width > DRAWN or piece.x == 0:
                found.append(Mark(piece.x, _elapsed(piece.start)))
        return found

    def _seconds(self, moment: datetime) -> float:
        return (moment - self._from).total_seconds()


def _pieces(seconds: list[float]) -> list[_Piece]:
    silences: list[tuple[float, float]] = []
    left = seconds[-1]
    for gap in sorted(pairwise(seconds), key=lambda gap: gap[0] - gap[1])[:SILENCES]:
        length = gap[1] - gap[0]
        if length < SHORTEST or length < SILENCE * left:
            break
        silences.append(gap)
        left -= length
    ends = [0.0, *(moment for gap in sorted(silences) for moment in gap), seconds[-1]]
    room = 100.0 - DRAWN * len(silences)
    found, x = [], 0.0
    for number, (start, end) in enumerate(pairwise(ends)):
        is_silence = number % 2 == 1
        width = DRAWN if is_silence else room * (end - start) / left if left else 0.0
        found.append(_Piece(start, end, x, width, is_silence))
        x += width
    return found


def _elapsed(seconds: float) -> str:
    return f"+{duration(seconds)}" if seconds else "0"
