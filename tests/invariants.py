"""The shop's invariants: each order comes to one end, is charged once, and is mailed about."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from patchbay.testkit.invariants import Invariants
from tests.shop import PlacedOrder, Shop

DECLINED_ABOVE = "100.00"
TOO_MANY = 41  # for a parcel: what was taken for them is refunded
AMOUNTS = ("0", "0.01", "11.77", "100.00", "100.01")
MAILED_AT = {"declined": "Payment declined", "refunded": "Payment refunded"}
SUBJECTS = {"Order placed", *MAILED_AT.values()}


@dataclass(frozen=True)
class Place:
    """Order something; with a key, perhaps for the second time."""

    amount: str
    key: str | None = None
    customer_id: str = "00001"
    items: int = 1

    def __call__(self, cloud: Shop) -> PlacedOrder:
        # Under one key there is one order, however often it is repeated.
        key = self.key and f"{self.key} for {self.amount}"
        return cloud.place_order(
            amount=self.amount, customer_id=self.customer_id, items=self.items, key=key
        )


NOW = (
    Place("11.77", customer_id="00001"),
    Place("0.00", customer_id="00002"),
    Place("250.00", customer_id="00003"),
)
LATER = (
    Place("29.33", customer_id="00001"),
    Place("50.00", customer_id="00004", items=TOO_MANY),
)


class ShopsInvariants(Invariants[Shop]):
    """Invariants of every order, for any failure."""

    cloud_type = Shop

    def __init__(self, now: Sequence[Place] = NOW, later: Sequence[Place] = LATER) -> None:
        self._now, self._later = now, later

    def actions(self) -> Sequence[Place]:
        return [Place(amount, key) for amount in AMOUNTS for key in (None, "a key")]

    def prepare(self, cloud: Shop) -> None:
        cloud.decline_above(DECLINED_ABOVE)

    def drive(self, cloud: Shop) -> None:
        for place in self._now:
            place(cloud)

    def drive_later(self, cloud: Shop) -> None:
        for place in self._later:
            place(cloud)

    def effects(self, cloud: Shop) -> dict[str, object]:
        charges = Counter(entry["order_id"] for entry in cloud.ledger())
        orders = {order["order_id"]: order["status"] for order in cloud.table("orders")}
        return {
            **{f"the status of order {each}": status for each, status in orders.items()},
            **{f"the ledger entries of order {each}": charges[each] for each in orders},
            **{
                f"the balance of account {each['account']}": (
                    f"${Decimal(str(each['balance']))} after {int(each['lines'])} lines"
                )
                for each in cloud.table("accounts-balances")
            },
            **{
                f"the parcel of order {each['order_id']}": each["state"]
                for each in cloud.table("fulfilment-parcels")
            },
        }

    def broken(self, cloud: Shop) -> Iterator[str]:
        charges = Counter(entry["order_id"] for entry in cloud.ledger())
        statuses = {order["order_id"]: order["status"] for order in cloud.table("orders")}
        for order in cloud.placed.values():
            ended = statuses.get(order.order_id)
            declined = float(order.amount) > float(DECLINED_ABOVE)
            if ended not in ({"declined"} if declined else {"shipped", "refunded"}):
                yield f"order {order.order_id} ended {ended}"
            due = int(order.amount > 0) * (2 if ended == "refunded" else 1)
            if charges[order.order_id] != due:
                yield (
                    f"order {order.order_id} has {charges[order.order_id]} ledger entries, "
                    f"not {due}"
                )
            about = [mail.subject for mail in cloud.mails() if order.order_id in mail.text]
            mailed = SUBJECTS & set(about)  # other services may mail about it as well
            wanted = {"Order placed"} | ({MAILED_AT[ended]} if ended in MAILED_AT else set())
            if mailed != wanted:
                yield f"of order {order.order_id}, {sorted(mailed)} were mailed"
