"""Break every consumer in every way, and compare with a run in which nothing broke."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from patchbay.events.event import Event
from patchbay.events.examples import example
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.invariants import Invariants
from patchbay.testkit.isolation.outcome import Outcome, observe
from patchbay.testkit.isolation.troubles import TROUBLES, Trouble
from patchbay.testkit.isolation.verdict import verdict
from patchbay.testkit.templates import Templates

SEED = 1997
NAMED = 2  # of the things that are wrong with a cell
# Then some retries of the first events are behind, and some ahead.
UNTIL_LATER = 5  # minutes


@dataclass(frozen=True)
class Cell:
    """One consumer in one kind of trouble."""

    consumer: str
    fault: str
    holds: bool
    why: str  # it does not hold; or it does though nothing was put to the test


class Matrix:
    """Every consumer of a system, in every kind of trouble."""

    def __init__(
        self,
        templates: Templates,
        invariants: Invariants[Any] | None = None,
        troubles: Sequence[Trouble] = TROUBLES,
    ) -> None:
        """Run the system once without trouble. Raises NotDeployable where it can't be deployed."""
        self._templates = templates
        self._invariants: Invariants[Any] = invariants or Invariants()
        self.troubles = troubles
        # Events that driving the system does not cause are published too: they have consumers.
        self._unheard: list[type[Event]] = []
        self.healthy = self._without_trouble()
        heard = {event.type for event in self.healthy.events.values()}
        self._unheard = [
            event for event in self._invariants.events() if event.detail_type() not in heard
        ]
        if self._unheard:
            self.healthy = self._without_trouble()

    @property
    def consumers(self) -> list[str]:
        return list(self.healthy.work)

    def cells(self) -> Iterator[Cell]:
        for consumer in self.consumers:
            for trouble in self.troubles:
                yield self.cell(consumer, trouble)

    def cell(self, consumer: str, trouble: Trouble) -> Cell:
        """Break one consumer in one way; of all that is wrong, the cell names the first."""
        try:
            broken, mended = self._with_trouble(consumer, trouble)
        except AssertionError as error:  # it can't be used, or does not come to rest
            return Cell(consumer, trouble.name, holds=False, why=str(error))
        wrong = verdict(
            consumer,
            healthy=self.healthy,
            broken=broken,
            mended=mended,
            rejected=trouble.rejected,
        )
        if not wrong and broken.log == self.healthy.log:
            return Cell(consumer, trouble.name, holds=True, why=trouble.unmet)
        return Cell(consumer, trouble.name, holds=not wrong, why="; ".join(wrong[:NAMED]))

    def _without_trouble(self) -> Outcome:
        with self._cloud() as cloud:
            return self._live(cloud, "", Trouble("none"))

    def _with_trouble(self, consumer: str, trouble: Trouble) -> tuple[Outcome, Outcome]:
        """Return the outcome with the trouble, and after it was over."""
        with self._cloud() as cloud:
            broken = self._live(cloud, consumer, trouble)
            cloud.mend(consumer)
            cloud.redrive(consumer)
            cloud.settle()
            return broken, observe(cloud, self._invariants)

    def _cloud(self) -> Cloud:
        cloud: Cloud = self._invariants.cloud_type(self._templates, seed=SEED)
        return cloud

    def _live(self, cloud: Cloud, consumer: str, trouble: Trouble) -> Outcome:
        """Drive the system, now and later."""
        self._invariants.prepare(cloud)
        trouble.begin(cloud, consumer)
        self._invariants.drive(cloud)
        cloud.advance(minutes=UNTIL_LATER)
        trouble.go_on(cloud, consumer)
        self._invariants.drive_later(cloud)
        for event in self._unheard:
            cloud.publish(event(**example(event)))
        cloud.settle()
        return observe(cloud, self._invariants)
