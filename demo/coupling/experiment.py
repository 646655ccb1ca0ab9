"""The experiment: one fault after the other, on both shops at once."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from statistics import quantiles
from typing import Any

from demo.coupling.api_usage import ApiUsage
from demo.coupling.drive import Answered, Driver
from demo.coupling.faults import Fault, faults
from demo.coupling.names import EVENT_DRIVEN
from demo.coupling.outcome import outcome
from demo.coupling.prices import idle_polling, per_million_orders
from demo.coupling.probe import Probe
from demo.coupling.shops import Shops, Side
from demo.purchases import Purchase, first_purchases

WARM = 10  # orders at once, before anything is measured
CHECK_EVERY = 0.5  # seconds
PATIENCE = 45.0  # seconds without any change, after which the unfinished orders are lost

# Final statuses of an order; `paid` is final too where nothing is shipped.
FINAL = frozenset({"declined", "refunded"})

OnProgress = Callable[[Fault, str], None]


class Experiment:
    """An experiment with both shops."""

    def __init__(self, shops: Shops, *, orders: int, rate: float) -> None:
        self._shops = shops
        self._rate = rate
        self._purchases = first_purchases(orders)
        self._final = FINAL | ({"shipped"} if shops.fulfils else {"paid"})
        self._driver = Driver(shops.sides, str(shops.cloud.ca_path))
        self._probe = Probe(shops)
        self.faults = faults(shops, decline_above=str(limit_of(self._purchases)))

    def prepare(self) -> None:
        """Set the card's limit, and warm up both shops."""
        self._shops.shop.decline_above(limit_of(self._purchases))
        self._driver.warm_up(self._purchases[:WARM], key="warm-up")
        self._settle([])

    def run(self, on_progress: OnProgress) -> dict[str, Any]:
        """Run one scenario for each fault; return the report as JSON values."""
        return {
            "on": datetime.now(UTC).date().isoformat(),
            "orders": len(self._purchases),
            "rate": self._rate,
            "services": list(self._shops.sides[0].functions),
            "parts": self._parts(),
            "scenarios": [self._scenario(fault, on_progress) for fault in self.faults],
        }

    def _scenario(self, fault: Fault, on_progress: OnProgress) -> dict[str, Any]:
        on_progress(fault, "ordering")
        api_usage = ApiUsage(self._shops)
        started = time.time()
        answers = self._driver.drive(
            self._purchases,
            key=f"{fault.service}-{fault.kind}",
            rate=self._rate,
            fault=fault,
        )
        on_progress(fault, "settling")
        self._settle(answers)
        used = api_usage.usage()
        return {
            "service": fault.service,
            "fault": fault.kind,
            "what": fault.what,
            "sides": {
                side.name: self._outcome(side, answers, started, used[side.name])
                for side in self._shops.sides
            },
        }

    def _settle(self, answers: Sequence[Answered]) -> None:
        """Wait until all accepted orders are finished, or nothing changes for PATIENCE seconds."""
        side = self._shops.sides[0]
        accepted = {each.order_id for each in answers if each.side == side.name and each.accepted}
        before: object = None
        last_change = time.monotonic()
        while time.monotonic() - last_change < PATIENCE:
            statuses, waiting = self._probe.statuses(side), self._probe.waiting()
            done = {order for order, status in statuses.items() if status in self._final}
            if accepted <= done and not waiting:
                return
            if (now := (statuses, waiting)) != before:
                before, last_change = now, time.monotonic()
            time.sleep(CHECK_EVERY)

    def _outcome(
        self, side: Side, answers: Sequence[Answered], started: float, called: Counter[str]
    ) -> dict[str, Any]:
        own = [answer for answer in answers if answer.side == side.name]
        used: dict[str, float] = {"http_requests": len(own)}
        for uses in (called, self._probe.used(side, started)):
            for what, amount in uses.items():
                used[what] = used.get(what, 0) + amount
        return outcome(own, self._probe.traces(side, started), self._final) | {
            "used": {what: round(amount, 6) for what, amount in sorted(used.items())},
            "dollars_per_million_orders": {
                what: round(dollars, 3)
                for what, dollars in sorted(per_million_orders(used, len(own)).items())
            },
        }

    def _parts(self) -> dict[str, Any]:
        """Return the numbers of each side's resources, and its costs while idle."""
        parts = {}
        for side, resources in self._shops.resources.items():
            kinds = Counter(resource.kind for resource in resources)
            polled = len(self._probe.consumers) if side == EVENT_DRIVEN else 0
            parts[side] = {
                "resources": len(resources),
                "functions": kinds["Lambda::Function"],
                "queues": kinds["SQS::Queue"],
                "dollars_a_month_idle": round(idle_polling(polled), 2),
            }
        return parts


def limit_of(purchases: Sequence[Purchase]) -> Decimal:
    """Return a limit for the card that about a tenth of the purchases exceed."""
    amounts = [purchase.amount for purchase in purchases]
    return quantiles(amounts, n=10)[-1] if len(amounts) > 1 else amounts[0]
