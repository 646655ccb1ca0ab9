"""The shop's customers, its payment provider and its mail service, for the console to play with."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from threading import Lock, Thread

from urllib3.exceptions import HTTPError

from demo.purchases import Purchase
from demo.shop import Shop
from patchbay.console.playground import Placed, Provider
from patchbay.errors import UserError


class ShopsPlayground:
    """Those around the shop on the local cloud."""

    def __init__(self, shop: Shop, purchases: Iterable[Purchase]) -> None:
        """The purchases are what is ordered, in their order."""
        self._shop = shop
        self._purchases: Iterator[Purchase] = iter(purchases)
        self._placed = Placed()
        self._changing = Lock()

    def place_orders(self, count: int) -> None:
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
        """How far they are."""
        with self._changing:
            return self._placed

    def provider(self) -> Provider:
        """How the payment provider does."""
        behaviour = self._shop.provider_behaviour()
        match behaviour["mode"]:
            case "down":
                return "down"
            case "slow":
                return "slow"
            case _:
                return "well" if behaviour["decline_above"] is None else "declining"

    def have_provider(self, be: Provider) -> None:
        """Have it do so."""
        match be:
            case "well":
                self._shop.decline_nothing()
            case "slow":
                self._shop.slow_payments_down()
            case "down":
                self._shop.take_payments_down()
            case "declining":
                self._shop.decline_above(Decimal(0))

    def mail_goes_out(self) -> bool:
        """Whether the mail service takes the shop's mails."""
        return self._shop.mails_go_out()

    def have_mail(self, *, go_out: bool) -> None:
        """Have it take them, or refuse them."""
        if self._shop.mails_go_out() == go_out:
            return
        if go_out:
            self._shop.let_mails_out()
        else:
            self._shop.hold_mails_back()

    def put_malformed_event(self) -> None:
        """Put an order on the bus that breaks its contract."""
        self._shop.put_malformed_event()

    def _place(self) -> None:
        placed = self.placed()
        while placed.is_going_on:
            refused = self._place_one()
            with self._changing:
                accepted = self._placed.accepted + (refused is None)
                placed = self._placed = Placed(self._placed.asked, accepted, refused)

    def _place_one(self) -> str | None:
        """Place the next order; why it was refused, if it was."""
        purchase = next(self._purchases, None)
        if purchase is None:
            return "There are no more purchases in the data."
        try:
            self._shop.place(purchase)
        except (UserError, HTTPError) as failure:
            return str(failure)
        return None
