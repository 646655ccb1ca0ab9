"""The shop's part of "Break things" in the console: its customers, payment provider and mails."""

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
    """Return what can be broken around the shop."""
    return (
        Trouble(
            id="provider",
            title="Payment provider",
            modes=(
                Mode("well", "It takes whatever it is asked for.", "well"),
                Mode("slow", "It takes two seconds for each answer.", "behind"),
                Mode("down", "It answers everything with an error."),
                Mode("declining", "It declines whatever costs anything.", "behind"),
            ),
            current=lambda: provider_mode(shop),
            switch=lambda mode: switch_provider(shop, mode),
        ),
        Trouble(
            id="mail",
            title="Mail",
            modes=(
                Mode("well", "SES sends the shop's mails.", "well"),
                Mode("down", "SES does not know the shop's sender, and refuses its mails."),
            ),
            current=lambda: "well" if shop.mails_go_out() else "down",
            switch=lambda mode: switch_mail(shop, mode),
        ),
    )


def actions(shop: Shop, orders: "Orders") -> Sequence[Action]:
    """Return what can be done to the shop."""
    return (
        Action(
            id="orders",
            title="Orders",
            description="Real purchases, as the demo makes them.",
            button="Place them",
            fields=(NumberField(name="count", label="How many", most=MOST, initial=20),),
            run=orders.place,
            progress=orders.progress,
        ),
        Action(
            id="malformed",
            title="A malformed event",
            description=(
                "An order that breaks its contract: nobody can handle it, so it goes to the dead "
                "letters at once. From there it can be discarded."
            ),
            button="Put one on the bus",
            run=lambda: put_malformed_event(shop),
        ),
    )


def provider_mode(shop: Shop) -> str:
    """Return how the payment provider behaves."""
    behaviour = shop.provider_behaviour()
    if behaviour["mode"] in ("down", "slow"):
        return str(behaviour["mode"])
    return "well" if behaviour["decline_above"] is None else "declining"


def switch_provider(shop: Shop, mode: str) -> None:
    """Have the payment provider behave so."""
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
    """Have the mail service take the shop's mails, or refuse them."""
    go_out = mode == "well"
    if shop.mails_go_out() == go_out:
        return
    if go_out:
        shop.let_mails_out()
    else:
        shop.hold_mails_back()


def put_malformed_event(shop: Shop) -> str:
    """Put an order on the bus that breaks its contract."""
    shop.put_malformed_event()
    return "A malformed order is on the bus: each consumer of orders gets one more dead letter."


@dataclass(frozen=True)
class Placed:
    """How many of the orders that were asked for last have been placed."""

    asked: int = 0
    accepted: int = 0
    refused: str | None = None
    """Why no more of them are placed, if one was refused."""

    @property
    def is_going_on(self) -> bool:
        """Whether there are more to come."""
        return self.refused is None and self.accepted < self.asked


class Orders:
    """Places the purchases one after the other, in the background."""

    def __init__(self, shop: Shop, purchases: Iterable[Purchase]) -> None:
        self._shop = shop
        self._purchases: Iterator[Purchase] = iter(purchases)
        self._placed = Placed()
        self._changing = Lock()

    def place(self, count: int) -> None:
        """Begin to place that many more; what was asked for before is placed first."""
        with self._changing:
            before = self._placed
            if before.is_going_on:
                self._placed = Placed(before.asked + count, before.accepted)
                return
            self._placed = Placed(count)
        # A daemon, so that Ctrl-C need not wait for the orders that are under way.
        Thread(target=self._place, daemon=True, name="orders").start()

    def placed(self) -> Placed:
        """Return how many of them have been placed."""
        with self._changing:
            return self._placed

    def progress(self) -> Progress | None:
        """Return the same for the console."""
        placed = self.placed()
        if not placed.asked:
            return None
        text = f"{placed.accepted} of {placed.asked} placed."
        return Progress(text, placed.is_going_on, placed.refused)

    def _place(self) -> None:
        placed = self.placed()
        while placed.is_going_on:
            refused = self._place_one()
            with self._changing:
                accepted = self._placed.accepted + (refused is None)
                placed = self._placed = Placed(self._placed.asked, accepted, refused)

    def _place_one(self) -> str | None:
        """Place the next order; returns why it was refused, if it was."""
        purchase = next(self._purchases, None)
        if purchase is None:
            return "There are no more purchases in the data."
        try:
            self._shop.place(purchase)
        except (UserError, HTTPError) as failure:
            return str(failure)
        return None
