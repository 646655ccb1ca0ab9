"""The notifications service."""

from contracts.orders import OrderPlaced
from contracts.payments import PaymentDeclined, PaymentRefunded
from patchbay.constructs.mail import allow_mailing
from patchbay.constructs.service import Service


class Notifications(Service):
    """Mails the customer when an order is placed, and when its payment is declined or refunded."""

    def compose(self) -> None:
        mail = {"MAIL_FROM": self.stage.mail_from, "MAIL_TO": self.stage.mail_to}
        mailer = self.consumer(on=[OrderPlaced, PaymentDeclined, PaymentRefunded], environment=mail)
        allow_mailing(mailer, self.stage)
