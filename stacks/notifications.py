"""The notifications service."""

from contracts.orders import OrderPlaced
from contracts.payments import PaymentDeclined, PaymentRefunded
from patchbay.constructs import Service, Setting

# SES's mailbox simulator: it accepts every mail, and delivers none to a person.
SIMULATED_CUSTOMERS = "success+{customer}@simulator.amazonses.com"


class Notifications(Service):
    """Mails the customer when an order is placed, and when its payment is declined or refunded."""

    mail_from = Setting(
        "The sender of the mails: an address that SES has verified.",
        local="shop@example.com", dev="shop@example.com",
    )  # fmt: skip
    mail_to = Setting(
        "The address of a customer, with {customer} for the customer's id.",
        local=SIMULATED_CUSTOMERS, dev=SIMULATED_CUSTOMERS,
    )  # fmt: skip

    def compose(self) -> None:
        mail = {"MAIL_FROM": self.mail_from, "MAIL_TO": self.mail_to}
        mailer = self.consumer(on=[OrderPlaced, PaymentDeclined, PaymentRefunded], environment=mail)
        mailer.allow_mail(self.mail_from)
