"""Virtual time: it stands still while code runs, and moves on to what happens next."""

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from typing import Self

import time_machine

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)  # when every cloud begins

Action = Callable[[], None]


class Turn(IntEnum):
    """Who goes first of what happens at the same moment."""

    ARRIVAL = 0
    POLL = 1  # last, so that what arrives together is a batch


class NeverIdle(AssertionError):
    """What happens in the cloud makes more happen, without an end."""


class Clock:
    """The time in the cloud, in seconds since the epoch, and what is to happen when."""

    MAX_STEPS = 1_000_000  # without settling: far more than any test has to do

    def __init__(self) -> None:
        self._agenda: list[tuple[float, Turn, int, Action, bool]] = []
        self._to_come = 0  # of what is on the agenda, without what comes again and again
        self._order = itertools.count()
        self._travel = time_machine.travel(EPOCH, tick=False)
        self._now = EPOCH.timestamp()

    def __enter__(self) -> Self:
        self._traveller = self._travel.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._travel.stop()

    @property
    def now(self) -> float:
        return self._now

    @property
    def time(self) -> datetime:
        return datetime.fromtimestamp(self._now, UTC)

    def move_to(self, moment: float) -> None:
        """Make it that moment for all code there is, without anything happening."""
        self._now = moment
        self._traveller.move_to(moment)

    def at(
        self, moment: float, action: Action, turn: Turn = Turn.ARRIVAL, *, idle: bool = False
    ) -> None:
        """Have something happen then; what is past happens next.

        What is `idle`, such as a schedule, happens when time comes to it, and keeps no cloud from
        settling.
        """
        self._to_come += not idle
        heapq.heappush(
            self._agenda, (max(moment, self._now), turn, next(self._order), action, idle)
        )

    def run(self, until: float | None = None) -> None:
        """Let everything happen, in its order, and what comes of it; raises NeverIdle.

        Without `until`, it ends when nothing is left to happen.
        """
        for _ in range(self.MAX_STEPS):
            if until is None and not self._to_come:
                break
            if not self._agenda or (until is not None and self._agenda[0][0] > until):
                break
            moment, _, _, action, idle = heapq.heappop(self._agenda)
            self._to_come -= not idle
            self.move_to(moment)
            action()
        else:
            raise NeverIdle(
                f"After {self.MAX_STEPS:,} steps, at {self.time.isoformat()}, it still goes on: "
                "do two consumers answer each other's events?"
            )
        if until is not None:
            self.move_to(until)
