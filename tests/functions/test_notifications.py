import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.orders import OrderPlaced
from contracts.payments import PaymentDeclined, PaymentRefunded
from patchbay.messaging import client_without_retries
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


def test_a_mail_that_ses_answers_with_an_error_is_not_sent_again_in_the_same_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from functions.notifications.handler import ses

    assert ses.meta.config.retries["total_max_attempts"] == 1
    requests: list[str] = []

    class Failing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            requests.append(self.path)
            self.send_response(500)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Failing) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", address)
        client = client_without_retries("sesv2")
        try:
            with pytest.raises(ClientError):
                client.send_email(
                    FromEmailAddress="shop@example.com",
                    Destination={"ToAddresses": ["jo@example.com"]},
                    Content={
                        "Simple": {
                            "Subject": {"Data": "Order placed"},
                            "Body": {"Text": {"Data": "Thank you"}},
                        }
                    },
                )
        finally:
            client.close()
            server.shutdown()
            thread.join()
    assert len(requests) == 1
