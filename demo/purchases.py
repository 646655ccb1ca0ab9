"""Real purchases at CDNOW, from January 1997 to June 1998, in their order."""

import csv
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from patchbay.errors import UserError
from patchbay.project.root import ROOT

FILE = ROOT / "data" / "cdnow_purchases.csv"


@dataclass(frozen=True)
class Purchase:
    """A purchase of one customer on one day."""

    number: int
    customer_id: str
    items: int
    amount: Decimal


def first_purchases(count: int) -> list[Purchase]:
    """Return the first `count` purchases; raises UserError where there are fewer."""
    with FILE.open(newline="") as file:
        rows = list(islice(csv.DictReader(file), count))
    if len(rows) < count:
        raise UserError(f"{FILE.name} holds {len(rows):,} purchases, not {count:,}.")
    return [
        Purchase(
            number=number,
            customer_id=row["customer_id"],
            items=int(row["cds"]),
            amount=Decimal(row["dollars"]),
        )
        for number, row in enumerate(rows, start=1)
    ]
