"""The isolation matrix: each consumer with each fault, compared with a run without faults."""

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
NAMED = 2  # violations that a cell's reason names
# After this time, the first events have had some of their retries.
UNTIL_LATER = 5  # minutes


@dataclass(frozen=True)
class Cell:
    """One consumer with one fault."""

    consumer: str
    fault: str
    holds: bool
    why: str  # it does not hold; or why the fault had no effect


class Matrix:
    """Every consumer of a system, with every fault."""

    def __init__(
        self,
        templates: Templates,
        invariants: Invariants[Any] | None = None,
        troubles: Sequence[Trouble] = TROUBLES,
    ) -> None:
        """Run the system once without a fault. Raise NotDeployable if it can't be deployed."""
        self._templates = templates
        self._invariants: Invariants[Any] = invariants or Invariants()
        self.troubles = troubles
        # Events that driving the system does not cause are published too: they have consumers.
        self._additional: list[type[Event]] = []
        self.healthy = self._run_healthy()
        caused = {event.type for event in self.healthy.events.values()}
        self._additional = [
            event for event in self._invariants.events() if event.detail_type() not in caused
        ]
        if self._additional:
            self.healthy = self._run_healthy()

    @property
    def consumers(self) -> list[str]:
        return list(self.healthy.work)

    def cells(self) -> Iterator[Cell]:
        for consumer in self.consumers:
            for trouble in self.troubles:
                yield self.cell(consumer, trouble)

    def cell(self, consumer: str, trouble: Trouble) -> Cell:
        """Return the cell for one consumer and one fault. It names the first violations."""
        try:
            broken, mended = self._run_broken(consumer, trouble)
        except AssertionError as error:  # the system can't be used, or does not come to rest
            return Cell(consumer, trouble.name, holds=False, why=str(error))
        violations = verdict(
            consumer,
            healthy=self.healthy,
            broken=broken,
            mended=mended,
            rejected=trouble.rejected,
        )
        if not violations and broken.log == self.healthy.log:
            return Cell(consumer, trouble.name, holds=True, why=trouble.unmet)
        why = "; ".join(violations[:NAMED])
        return Cell(consumer, trouble.name, holds=not violations, why=why)

    def _run_healthy(self) -> Outcome:
        with self._cloud() as cloud:
            return self._drive(cloud, "", Trouble("none"))

    def _run_broken(self, consumer: str, trouble: Trouble) -> tuple[Outcome, Outcome]:
        """Return the outcome during the fault, and the outcome after mending and redriving."""
        with self._cloud() as cloud:
            broken = self._drive(cloud, consumer, trouble)
            cloud.mend(consumer)
            cloud.redrive(consumer)
            cloud.settle()
            return broken, observe(cloud, self._invariants)

    def _cloud(self) -> Cloud:
        cloud: Cloud = self._invariants.cloud_type(self._templates, seed=SEED)
        return cloud

    def _drive(self, cloud: Cloud, consumer: str, trouble: Trouble) -> Outcome:
        """Drive the system twice, with the fault, and return the outcome."""
        self._invariants.prepare(cloud)
        trouble.begin(cloud, consumer)
        self._invariants.drive(cloud)
        cloud.advance(minutes=UNTIL_LATER)
        trouble.go_on(cloud, consumer)
        self._invariants.drive_later(cloud)
        for event in self._additional:
            cloud.publish(event(**example(event)))
        cloud.settle()
        return observe(cloud, self._invariants)
