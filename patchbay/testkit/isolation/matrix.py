"""Breaks every consumer in every way, and compares with a run in which nothing broke."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from patchbay.events.catalogue import events
from patchbay.events.event import Event
from patchbay.events.examples import example
from patchbay.testkit.isolation.outcome import Outcome, observe
from patchbay.testkit.isolation.troubles import TROUBLES, Trouble
from patchbay.testkit.isolation.verdict import verdict
from patchbay.testkit.templates import Templates
from tests.shop import Shop

SEED = 1997
DECLINED_ABOVE = "100.00"
TOO_MANY = 41  # for a parcel: what was taken for them is refunded
NOW = (("00001", "11.77", 1), ("00002", "0.00", 1), ("00003", "250.00", 1))
LATER = (("00001", "29.33", 1), ("00004", "50.00", TOO_MANY))
NAMED = 2  # of the things that are wrong with a cell
# Then some retries of the first orders are behind, and some ahead.
UNTIL_LATER = 5  # minutes


@dataclass(frozen=True)
class Cell:
    """One consumer in one kind of trouble."""

    consumer: str
    fault: str
    holds: bool
    why: str  # it does not hold; or it does though nothing was put to the test


class Matrix:
    """Every consumer of a templates, in every kind of trouble."""

    def __init__(self, templates: Templates, troubles: Sequence[Trouble] = TROUBLES) -> None:
        """Raises NotDeployable where there is nothing to be tried."""
        self._templates = templates
        self.troubles = troubles
        # What no order brings about is published too: somebody may be waiting for it.
        self._unheard: list[type[Event]] = []
        self.healthy = self._without_trouble()
        heard = {event.type for event in self.healthy.events.values()}
        self._unheard = [event for name, event in events().items() if name not in heard]
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
        """Try it. Of all that is wrong, it says what was found first."""
        try:
            broken, mended = self._with_trouble(consumer, trouble)
        except AssertionError as error:  # the shop takes no orders, or does not come to rest
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
        with Shop(self._templates, seed=SEED) as cloud:
            return self._live(cloud, "", Trouble("none"))

    def _with_trouble(self, consumer: str, trouble: Trouble) -> tuple[Outcome, Outcome]:
        """How things stood with the trouble, and when it was over."""
        with Shop(self._templates, seed=SEED) as cloud:
            broken = self._live(cloud, consumer, trouble)
            cloud.mend(consumer)
            cloud.redrive(consumer)
            cloud.settle()
            return broken, observe(cloud)

    def _live(self, cloud: Shop, consumer: str, trouble: Trouble) -> Outcome:
        """Some customers order, now and later."""
        cloud.decline_above(DECLINED_ABOVE)
        trouble.begin(cloud, consumer)
        for customer_id, amount, items in NOW:
            cloud.place_order(customer_id=customer_id, amount=amount, items=items)
        cloud.advance(minutes=UNTIL_LATER)
        trouble.go_on(cloud, consumer)
        for customer_id, amount, items in LATER:
            cloud.place_order(customer_id=customer_id, amount=amount, items=items)
        for event in self._unheard:
            cloud.publish(event(**example(event)))
        cloud.settle()
        return observe(cloud)
