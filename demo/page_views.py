"""Page views and purchases, posted to the storefront.

The purchases are real, but their data does not name the records. So the records are invented: they
are derived from the number of the purchase, are the same in each run, and a few are far more
popular than the others.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from zlib import crc32

from demo.purchases import Purchase
from demo.shop import Shop
from patchbay.chunks import chunks
from patchbay.errors import UserError

RECORDS = 200
VIEWS = 1  # of a record, before it is bought
BATCH = 500  # interactions that the storefront accepts in one request
ATTEMPTS = 10
PURCHASE_WEIGHT = 10  # views, in the bestsellers' chart
FIRST_DAY = datetime(1997, 1, 1, tzinfo=UTC)

Interaction = dict[str, Any]


class StorefrontRefused(UserError):
    """The storefront did not accept the interactions."""


def interactions(purchases: Iterable[Purchase]) -> Iterator[Interaction]:
    """Yield the views and the purchase for each purchase."""
    for purchase in purchases:
        record = _record(purchase.number)
        for kind in ["view"] * VIEWS + ["purchase"]:
            yield {
                "record_id": record,
                "kind": kind,
                "customer_id": purchase.customer_id,
                "at": (FIRST_DAY + timedelta(minutes=purchase.number)).isoformat(),
            }


def visit(shop: Shop, purchases: Iterable[Purchase]) -> dict[str, tuple[int, int]]:
    """Post the interactions to the storefront; return the views and purchases of each record.

    Interactions that the storefront could not put on its stream are posted again. Raises
    StorefrontRefused.
    """
    waiting, accepted = list(interactions(purchases)), list[Interaction]()
    failures = 0
    while waiting:
        again: list[Interaction] = []
        for batch in chunks(waiting, BATCH):
            refused = _post(shop, batch)
            failures += bool(refused)
            if failures > ATTEMPTS:
                raise StorefrontRefused(
                    f"The storefront answered 503 to {failures} requests. Of the last one, its "
                    f"stream refused {len(refused)} of {len(batch)} interactions."
                )
            accepted += [each for position, each in enumerate(batch) if position not in refused]
            again += [batch[position] for position in sorted(refused)]
        waiting = again
    return counted(accepted)


def _post(shop: Shop, batch: list[Interaction]) -> set[int]:
    """Post a batch; return the positions that the storefront refused, which may be retried."""
    status, answer = shop.post_interactions(batch)
    if status == HTTPStatus.ACCEPTED:
        return set()
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return set(answer.get("refused_at", range(len(batch))))
    raise StorefrontRefused(f"The storefront answered {status}: {str(answer)[:500]}")


def counted(interactions: Iterable[Interaction]) -> dict[str, tuple[int, int]]:
    """Return the views and purchases of each record."""
    counts = Counter((each["record_id"], each["kind"]) for each in interactions)
    records = sorted({record for record, _ in counts})
    return {record: (counts[record, "view"], counts[record, "purchase"]) for record in records}


def _record(purchase: int) -> str:
    drawn = crc32(str(purchase).encode()) / 2**32
    return f"record-{int(RECORDS * drawn**3) + 1:03}"
