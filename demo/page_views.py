"""Page views: what visitors of the storefront look at and buy.

The purchases are real, but their data does not say which records they were of. So the records here
are invented: drawn from each purchase's number, always the same ones, and a few far more often than
the others, as it is with music.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from zlib import crc32

from demo.purchases import Purchase
from demo.shop import Shop
from patchbay.errors import UserError

RECORDS = 200
LOOKS = 1  # at a record before it is bought
BATCH = 500  # what the storefront takes at once
ATTEMPTS = 10
PURCHASE_WEIGHS = 10  # views, in the bestsellers' chart
FIRST_DAY = datetime(1997, 1, 1, tzinfo=UTC)

Interaction = dict[str, Any]


class StorefrontRefused(UserError):
    """The storefront did not take what visitors looked at."""


def interactions(purchases: Iterable[Purchase]) -> Iterator[Interaction]:
    """Yield what the customers looked at, and then bought."""
    for purchase in purchases:
        record = _record(purchase.number)
        for kind in ["view"] * LOOKS + ["purchase"]:
            yield {
                "record_id": record,
                "kind": kind,
                "customer_id": purchase.customer_id,
                "at": (FIRST_DAY + timedelta(minutes=purchase.number)).isoformat(),
            }


def visit(shop: Shop, purchases: Iterable[Purchase]) -> dict[str, tuple[int, int]]:
    """Post it all to the storefront; returns how many views and purchases each record has got.

    What the storefront could not put on its stream is posted again. Raises StorefrontRefused.
    """
    waiting, taken = list(interactions(purchases)), list[Interaction]()
    failures = 0
    while waiting:
        batch, waiting = waiting[:BATCH], waiting[BATCH:]
        status, answer = shop.look_at(batch)
        refused = set(range(len(batch)))
        if status == HTTPStatus.ACCEPTED:
            refused = set()
        elif status == HTTPStatus.SERVICE_UNAVAILABLE:
            refused = set(answer.get("refused_at", refused))
        failures += bool(refused)
        if failures > ATTEMPTS or (refused and status != HTTPStatus.SERVICE_UNAVAILABLE):
            raise StorefrontRefused(f"The storefront answered {status}: {str(answer)[:500]}")
        taken += [each for position, each in enumerate(batch) if position not in refused]
        waiting += [batch[position] for position in sorted(refused)]
    return counted(taken)


def counted(taken: Iterable[Interaction]) -> dict[str, tuple[int, int]]:
    """Return how many views and purchases each record has got."""
    counts = Counter((each["record_id"], each["kind"]) for each in taken)
    records = sorted({record for record, _ in counts})
    return {record: (counts[record, "view"], counts[record, "purchase"]) for record in records}


def _record(purchase: int) -> str:
    drawn = crc32(str(purchase).encode()) / 2**32
    return f"record-{int(RECORDS * drawn**3) + 1:03}"
