"""The shop's troubles and actions for the console's page "Break things"."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from threading import Lock, Thread

from urllib3.exceptions import HTTPError

from demo.purchases import Purchase
from demo.shop import Shop
from patchbay.console.additions import Action, Mode, NumberField, Progress, Trouble
from patchbay.errors import UserError

MOST = 500  # orders at a time


def troubles(shop: Shop) -> Sequence[Trouble]:
    """Return the shop's troubles: the payment provider and the mail service."""
    return (
        Trouble(
            id="provider",
            title="Payment provider",
            modes=(
                Mode("well", "It accepts all charges.", "well"),
                Mode("slow", "It answers after two seconds.", "behind"),
                Mode("down", "It answers all requests with an error."),
                Mode("declining", "It declines all charges.", "behind"),
            ),
            current=lambda: provider_mode(shop),
            switch=lambda mode: switch_provider(shop, mode),
        ),
        Trouble(
            id="mail",
            title="Mail",
            modes=(
                Mode("well", "SES sends the shop's mails.", "well"),
                Mode("down", "SES has not verified the shop's sender, and refuses its mails."),
            ),
            current=lambda: "well" if shop.can_send_mail() else "down",
            switch=lambda mode: switch_mail(shop, mode),
        ),
    )


def actions(shop: Shop, orders: "Orders") -> Sequence[Action]:
    """Return the shop's actions: placing orders, and publishing a malformed event."""
    return (
        Action(
            id="orders",
            title="Orders",
            description="Places real purchases as orders, one after the other.",
            button="Place orders",
            fields=(NumberField(name="count", label="How many", most=MOST, initial=20),),
            run=orders.place,
            progress=orders.progress,
        ),
        Action(
            id="malformed",
            title="A malformed event",
            description=(
                "Publishes an order that breaks its contract. Its consumers can't handle it: "
                "each gets a dead letter at once, which can be discarded."
            ),
            button="Publish one",
            run=lambda: publish_malformed_event(shop),
        ),
    )


def provider_mode(shop: Shop) -> str:
    """Return the payment provider's current mode."""
    behaviour = shop.provider_behaviour()
    if behaviour["mode"] in ("down", "slow"):
        return str(behaviour["mode"])
    return "well" if behaviour["decline_above"] is None else "declining"


def switch_provider(shop: Shop, mode: str) -> None:
    """Switch the payment provider to a mode."""
    match mode:
        case "well":
            shop.decline_nothing()
        case "slow":
            shop.slow_payments_down()
        case "down":
            shop.take_payments_down()
        case "declining":
            shop.decline_above(Decimal(0))


def switch_mail(shop: Shop, mode: str) -> None:
    """Switch the mail service to a mode."""
    wanted = mode == "well"
    if shop.can_send_mail() == wanted:
        return
    if wanted:
        shop.verify_sender()
    else:
        shop.remove_sender()


def publish_malformed_event(shop: Shop) -> str:
    """Publish an order that breaks its contract."""
    shop.publish_malformed_event()
    return "A malformed order is published: each consumer of orders gets one more dead letter."


@dataclass(frozen=True)
class Placed:
    """The progress of the last request for orders."""

    requested: int = 0
    accepted: int = 0
    failure: str | None = None
    """The reason why no more orders are placed, if one failed."""

    @property
    def is_going_on(self) -> bool:
        """Return whether more orders will be placed."""
        return self.failure is None and self.accepted < self.requested


class Orders:
    """A background thread that places purchases as orders, one after the other."""

    def __init__(self, shop: Shop, purchases: Iterable[Purchase]) -> None:
        self._shop = shop
        self._purchases: Iterator[Purchase] = iter(purchases)
        self._placed = Placed()
        self._changing = Lock()

    def place(self, count: int) -> None:
        """Place that many more orders, after those that were requested before."""
        with self._changing:
            before = self._placed
            if before.is_going_on:
                self._placed = Placed(before.requested + count, before.accepted)
                return
            self._placed = Placed(count)
        # A daemon thread, so that Ctrl-C does not wait for it.
        Thread(target=self._place, daemon=True, name="orders").start()

    def placed(self) -> Placed:
        """Return the progress of the last request."""
        with self._changing:
            return self._placed

    def progress(self) -> Progress | None:
        """Return the progress of the last request, for the console."""
        placed = self.placed()
        if not placed.requested:
            return None
        text = f"{placed.accepted} of {placed.requested} placed."
        return Progress(text, placed.is_going_on, placed.failure)

    def _place(self) -> None:
        placed = self.placed()
        while placed.is_going_on:
            failure = self._place_one()
            with self._changing:
                accepted = self._placed.accepted + (failure is None)
                placed = self._placed = Placed(self._placed.requested, accepted, failure)

    def _place_one(self) -> str | None:
        """Place the next order; return the reason if that failed."""
        purchase = next(self._purchases, None)
        if purchase is None:
            return "There are no more purchases to place."
        try:
            self._shop.place(purchase)
        except (UserError, HTTPError) as failure:
            return str(failure)
        return None
