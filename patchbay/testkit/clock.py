"""The virtual clock: it stops while code runs, and then moves to the next action."""

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from typing import Self

import time_machine

from patchbay.testkit.running.stack_room import with_room

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)  # the start time of every cloud

Action = Callable[[], None]


class Turn(IntEnum):
    """The order of actions at the same moment."""

    ARRIVAL = 0
    POLL = 1  # last, so that messages that arrive together are one batch


class NeverIdle(AssertionError):
    """The actions in the cloud cause more actions, without end."""


class Clock:
    """The time in the cloud, in seconds since the epoch, and the agenda of actions."""

    MAX_STEPS = 1_000_000  # in one run: far more than any test needs

    def __init__(self) -> None:
        self._agenda: list[tuple[float, Turn, int, Action, bool]] = []
        self._pending = 0  # actions on the agenda that are not idle
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
        """Set the time for all code, without running any action."""
        self._now = moment
        self._traveller.move_to(moment)

    def at(
        self, moment: float, action: Action, turn: Turn = Turn.ARRIVAL, *, idle: bool = False
    ) -> None:
        """Schedule an action; one in the past runs next.

        An `idle` action, such as a schedule, runs when the clock reaches it. `run` without `until`
        does not wait for it.
        """
        self._pending += not idle
        heapq.heappush(
            self._agenda, (max(moment, self._now), turn, next(self._order), action, idle)
        )

    def run(self, until: float | None = None) -> None:
        """Run all actions in order, and those that they cause. Raise NeverIdle.

        Without `until`, return when only idle actions are left.
        """
        for _ in range(self.MAX_STEPS):
            if until is None and not self._pending:
                break
            if not self._agenda or (until is not None and self._agenda[0][0] > until):
                break
            moment, _, _, action, idle = heapq.heappop(self._agenda)
            self._pending -= not idle
            self.move_to(moment)
            with_room(action)
        else:
            raise NeverIdle(
                f"The cloud does not come to rest: after {self.MAX_STEPS:,} steps, at "
                f"{self.time.isoformat()}, there are more. Check whether two consumers publish "
                "events that each other consumes."
            )
        if until is not None:
            self.move_to(until)
