"""What can be done to the world around a local deployment: its customers and its third parties."""

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

Provider = Literal["well", "slow", "down", "declining"]
PROVIDERS: tuple[Provider, ...] = get_args(Provider)


@dataclass(frozen=True)
class Placed:
    """What has become of the orders that were asked for last."""

    asked: int = 0
    accepted: int = 0
    refused: str | None = None
    """Why no more of them are placed, if one was refused."""

    @property
    def is_going_on(self) -> bool:
        """Whether there are more to come."""
        return self.refused is None and self.accepted < self.asked


class Playground(Protocol):
    """Those around the shop, who do as they are told."""

    def place_orders(self, count: int) -> None:
        """Begin to place that many more, one after the other."""

    def placed(self) -> Placed:
        """How far they are."""

    def provider(self) -> Provider:
        """How the payment provider does."""

    def have_provider(self, be: Provider) -> None:
        """Have it do so."""

    def mail_goes_out(self) -> bool:
        """Whether the mail service takes the shop's mails."""

    def have_mail(self, *, go_out: bool) -> None:
        """Have it take them, or refuse them."""

    def put_malformed_event(self) -> None:
        """Put an order on the bus that breaks its contract."""
