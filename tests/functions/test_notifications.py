from contracts.orders import OrderPlaced
from contracts.payments import PaymentDeclined, PaymentRefunded
from tests.functions.conftest import Mails
from tests.patchbay.messaging.fixtures import Deliver


def test_a_customer_is_mailed_when_an_order_is_placed(deliver: Deliver, mails: Mails) -> None:
    order = OrderPlaced(order_id="o-1", customer_id="jo", items=2, amount=9.99)
    assert deliver("functions.notifications.handler", order) == []
    assert [(mail.to, mail.subject) for mail in mails()] == [(["jo@example.com"], "Order placed")]


def test_a_customer_is_mailed_why_a_payment_is_declined(deliver: Deliver, mails: Mails) -> None:
    declined = PaymentDeclined(order_id="o-1", customer_id="jo", amount=9.99, reason="no funds")
    assert deliver("functions.notifications.handler", declined) == []
    assert ["no funds" in mail.text for mail in mails()] == [True]


def test_a_customer_is_mailed_why_and_what_is_refunded(deliver: Deliver, mails: Mails) -> None:
    refunded = PaymentRefunded(order_id="o-1", customer_id="jo", amount=9.99, reason="sold out")
    assert deliver("functions.notifications.handler", refunded) == []
    (mail,) = mails()
    assert mail.subject == "Payment refunded"
    assert "sold out" in mail.text
    assert "$9.99" in mail.text
