"""The driver: it places the same orders in both shops, at a steady rate."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from uuid import NAMESPACE_URL, uuid5

import urllib3

from demo.coupling.faults import Fault
from demo.coupling.shops import Side
from demo.purchases import Purchase

CONNECTIONS = 64
PATIENCE = 30.0  # seconds that a customer waits: API Gateway's own limit
FAULT_FROM, FAULT_UNTIL = 0.2, 0.75  # of the time


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An order on one side, with the response to its customer."""

    side: str
    order_id: str
    placed_at: float
    """When it was due, in seconds since the epoch, so that a late driver hides no waiting."""
    waited: float
    """Seconds."""
    accepted: bool


class Driver:
    """A client of both shops, which sends each order once."""

    def __init__(self, sides: Sequence[Side], ca_certs: str) -> None:
        self._sides = sides
        self._http = urllib3.PoolManager(
            maxsize=CONNECTIONS, ca_certs=ca_certs, timeout=PATIENCE, retries=False
        )

    def drive(
        self,
        purchases: Sequence[Purchase],
        *,
        key: str,
        rate: float,
        fault: Fault,
    ) -> list[Answered]:
        """Place all orders on each side, with the fault meanwhile; return the responses."""
        seconds = len(purchases) / rate
        events: list[tuple[float, Callable[[], object]]] = [
            (FAULT_FROM * seconds, fault.begin),
            (FAULT_UNTIL * seconds, fault.end),
        ]
        started = time.time()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for position, purchase in enumerate(purchases):
                for side in self._sides:
                    moment = position / rate
                    events.append((moment, self._order(side, purchase, key, started + moment)))
            pending = []
            for moment, action in sorted(events, key=lambda event: event[0]):
                time.sleep(max(0.0, started + moment - time.time()))
                pending.append(pool.submit(action))
            answers = [future.result() for future in pending]
        return [answer for answer in answers if isinstance(answer, Answered)]

    def warm_up(self, purchases: Sequence[Purchase], *, key: str) -> None:
        """Place all orders at once on both sides, so that as many environments stay warm."""
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for purchase in purchases:
                for side in self._sides:
                    pool.submit(self._order(side, purchase, key, time.time()))

    def _order(
        self, side: Side, purchase: Purchase, key: str, due: float
    ) -> Callable[[], Answered]:
        # The provider identifies an order by its id, so the ids of the two sides must differ.
        own_key = f"{key}-{side.name}-{purchase.number}"

        def order() -> Answered:
            accepted = self._place(side, purchase, own_key)
            waited = time.time() - due
            return Answered(
                side=side.name,
                # As both APIs derive it from the key, so that it is known without a response.
                order_id=str(uuid5(NAMESPACE_URL, f"{purchase.customer_id}/{own_key}")),
                placed_at=due,
                waited=waited,
                accepted=accepted,
            )

        return order

    def _place(self, side: Side, purchase: Purchase, key: str) -> bool:
        body = {
            "customer_id": purchase.customer_id,
            "items": purchase.items,
            "amount": float(purchase.amount),
        }
        try:
            answer = self._http.request(
                "POST", side.url, json=body, headers={"Idempotency-Key": key}
            )
        except urllib3.exceptions.HTTPError:
            return False
        return bool(answer.status == HTTPStatus.CREATED)
