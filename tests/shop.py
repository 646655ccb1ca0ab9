"""The fixture `cloud` with methods for the record shop."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from moto.ses.models import ses_backends

from contracts.orders import OrderPlaced
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.reading.intrinsics import ACCOUNT, REGION
from patchbay.testkit.templates import Templates

OF_AN_ORDER = ("OrderPlaced", "PaymentTaken", "OrderShipped")
"""The shop's own events of an order that is shipped; other services may publish more."""


def own(types: Iterable[str]) -> list[str]:
    """Keep the types of the shop's own events of a shipped order."""
    return [each for each in types if each in OF_AN_ORDER]


@dataclass(frozen=True)
class PlacedOrder:
    """An order that the shop accepted."""

    order_id: str
    customer_id: str
    amount: Decimal
    cloud: Cloud

    @property
    def event_id(self) -> str:
        """The id of its `OrderPlaced`; raises LookupError as long as that is not published."""
        for event in self.cloud.published(OrderPlaced.detail_type()):
            if event.data["order_id"] == self.order_id:
                return event.id
        raise LookupError(f"Order {self.order_id} is not published. Settle first.")


@dataclass(frozen=True)
class OrderState:
    """An order as its customer sees it."""

    status: str
    reason: str | None


class Shop(Cloud):
    """The record shop."""

    _mail_from = "shop@example.com"
    _mail_to = "{customer}@example.com"

    def __init__(self, templates: Templates, *, seed: int = 0) -> None:
        super().__init__(templates, seed=seed)
        self.placed: dict[str, PlacedOrder] = {}
        """Every order that it accepted, by its id."""
        self._read_settings(templates)

    def _read_settings(self, templates: Templates) -> None:
        for function in templates.functions.values():
            self._mail_from = function.environment.get("MAIL_FROM", self._mail_from)
            self._mail_to = function.environment.get("MAIL_TO", self._mail_to)

    def deploy(self, templates: Templates) -> None:
        """Deploy the stacks that are new in a templates beside those that run."""
        super().deploy(templates)
        self._read_settings(templates)
        ses_backends[ACCOUNT][REGION].verify_email_address(self._mail_from)

    def __enter__(self) -> Self:
        super().__enter__()
        # The sender is verified outside of the templates.
        ses_backends[ACCOUNT][REGION].verify_email_address(self._mail_from)
        return self

    def place_order(
        self,
        *,
        amount: str = "11.77",
        customer_id: str = "00001",
        items: int = 1,
        key: str | None = None,
    ) -> PlacedOrder:
        """Order something by the shop's HTTP API; `key` is the Idempotency-Key."""
        body = {"customer_id": customer_id, "items": items, "amount": float(amount)}
        headers = {"idempotency-key": key} if key else {}
        answer = self.request("POST", "/orders", body, headers)
        assert answer.status == 201, f"The shop answered {answer.status}: {answer.body}"
        order = PlacedOrder(answer.body["order_id"], customer_id, Decimal(amount), self)
        return self.placed.setdefault(order.order_id, order)

    def order(self, order_id: str) -> OrderState:
        """Return an order's current status."""
        answer = self.request("GET", f"/orders/{order_id}")
        assert answer.status == 200, f"The shop answered {answer.status}: {answer.body}"
        return OrderState(answer.body["status"], answer.body.get("reason"))

    def mails_to(self, customer_id: str) -> list[str]:
        """The subjects of the mails to a customer, in their order."""
        address = self._mail_to.format(customer=customer_id)
        return [mail.subject for mail in self.mails() if mail.to == address]

    def ledger(self) -> list[dict[str, Any]]:
        """Every charge and refund that the payment provider knows."""
        return [entry for entry in self.table("payments-ledger") if "kind" in entry]

    def decline_above(self, limit: str) -> None:
        """Have the payment provider decline what is more than that."""
        behaviour = f'{{"mode": "ok", "decline_above": "{limit}"}}'
        self.resource_table("payments-ledger").put_item(
            Item={"id": "behaviour", "value": behaviour}
        )


def booking_carelessly(templates: Templates, folder: Path) -> Templates:
    """The shop with accounts that book a line for each delivery of an event.

    `folder` is an empty one, for the assets.
    """
    put = '"Item": item}'
    changed = {f"{put} | _NEW": put}
    return templates.with_code("accounts-statement", "functions/accounts/books.py", changed, folder)


def charging_carelessly(templates: Templates, folder: Path) -> Templates:
    """The shop with payments that charge under another key each time that they are asked.

    `folder` is an empty one, for the assets.
    """
    charge, another_key = '"/charges", request, idempotency_key=', '__import__("uuid").uuid4().hex'
    changed = {f"{charge}order_id": f"{charge}{another_key}"}
    return templates.with_code("payments", "functions/payments/provider.py", changed, folder)
