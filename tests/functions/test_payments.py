"""The payments service: what it charges, what it publishes, and the provider's stand-in."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest

from contracts.fulfilment import OrderUnfulfillable
from contracts.orders import OrderPlaced
from demo.provider import Provider
from functions.payments import provider as provider_client
from functions.payments import sandbox
from functions.payments.ledger import MemoryLedger, TableLedger
from functions.payments.provider import Declined, ProviderUnavailable, charge
from patchbay.messaging import publishing as publishing
from patchbay.messaging.errors import PublishFailed, Reject
from tests.patchbay.messaging.fixtures import Clock, DeadLetters, Deliver, Published
from tests.patchbay.messaging.queues import VISIBILITY_TIMEOUT

HANDLER = "functions.payments.handler"
ORDER = OrderPlaced(order_id="order-1", customer_id="customer-1", items=2, amount=9.99)
AMOUNT = Decimal("9.99")
REFUND = "functions.payments.refund"
UNFULFILLABLE = OrderUnfulfillable(
    order_id="order-1", customer_id="customer-1", amount=9.99, payment_id="charge-order-1",
    reason="sold out",
)  # fmt: skip


@contextmanager
def served(answers: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A provider on a free port of this machine; gives its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class Requests(list[dict[str, str]]):
    """The first line and the headers, in lower case, of each request that the provider got."""


@pytest.fixture
def requests() -> Requests:
    return Requests()


@pytest.fixture
def provider(requests: Requests, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The stand-in for the payment provider, over HTTP."""

    class Recording(Provider):
        protocol_version = "HTTP/1.0"  # a connection that is kept would outlive the test

        def do_POST(self) -> None:  # noqa: N802 - http.server's name
            headers = {name.lower(): value for name, value in self.headers.items()}
            requests.append(headers | {"request line": self.requestline})
            super().do_POST()

    with served(Recording) as address:
        monkeypatch.setenv("PAYMENT_PROVIDER_URL", address)
        yield


Answering = Callable[[int, str], None]


@pytest.fixture(params=["in a table", "in memory"])
def either_ledger(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in's ledger, as the function on AWS keeps it, and as a process of ours does."""
    if request.param == "in memory":
        monkeypatch.setattr(sandbox, "ledger", cache(MemoryLedger))


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """A provider that answers everything with this status and body."""
    status, body = 200, ""

    class Stubborn(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None: ...

    def answer(with_status: int, with_body: str) -> None:
        nonlocal status, body
        status, body = with_status, with_body

    with served(Stubborn) as address:
        monkeypatch.setenv("PAYMENT_PROVIDER_URL", address)
        yield answer


def ask(
    method: str, path: str, body: Any = None, *, key: str | None = "key-1", **query: str
) -> tuple[int, dict[str, Any]]:
    """Ask the stand-in as a function URL does."""
    answer = sandbox.handler(
        {
            "rawPath": path,
            "requestContext": {"http": {"method": method, "path": path}},
            "headers": {} if key is None else {"idempotency-key": key},
            "queryStringParameters": query or None,
            "body": body if isinstance(body, str) else json.dumps(body),
        },
        None,
    )
    return answer["statusCode"], json.loads(answer["body"])


def ledger() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = ask("GET", "/ledger")[1]["entries"]
    return entries


def behave(**behaviour: Any) -> None:
    assert ask("PUT", "/behaviour", behaviour)[0] == 200


# What becomes of an order


@pytest.mark.usefixtures("provider")
def test_an_order_is_charged_and_its_payment_published(
    deliver: Deliver, published: Published
) -> None:
    assert deliver(HANDLER, ORDER) == []
    (entry,) = ledger()
    (event,) = published()
    assert entry.items() >= {"order_id": "order-1", "amount": "9.99", "kind": "charge"}.items()
    assert event.detail_type == "PaymentTaken"
    assert event.data == {
        "order_id": "order-1",
        "amount": 9.99,
        "payment_id": entry["id"],
        "customer_id": "customer-1",
        "items": 2,
    }


@pytest.mark.usefixtures("provider")
def test_a_declined_payment_is_published_with_the_provider_s_reason(
    deliver: Deliver, published: Published
) -> None:
    behave(decline_above="5.00")
    assert deliver(HANDLER, ORDER) == []
    (event,) = published()
    assert event.detail_type == "PaymentDeclined"
    assert event.data == {
        "order_id": "order-1",
        "customer_id": "customer-1",
        "amount": 9.99,
        "reason": "the amount is above the card's limit",
    }


@pytest.mark.usefixtures("provider")
def test_an_order_for_nothing_is_paid_without_a_request_to_the_provider(
    deliver: Deliver, published: Published, requests: Requests
) -> None:
    assert deliver(HANDLER, ORDER.model_copy(update={"amount": Decimal(0)})) == []
    (event,) = published()
    assert event.detail_type == "PaymentTaken"
    assert event.data["payment_id"] is None
    assert requests == []


@pytest.mark.usefixtures("provider")
def test_while_the_provider_is_down_the_order_waits_and_is_charged_afterwards(
    deliver: Deliver, published: Published, clock: Clock, dead_letters: DeadLetters
) -> None:
    behave(mode="down")
    assert deliver(HANDLER, ORDER) == [ORDER]
    assert (published(), ledger(), dead_letters()) == ([], [], [])
    behave(mode="ok")
    clock.shift(1.01)
    assert deliver(HANDLER) == []
    assert len(published()) == len(ledger()) == 1


@pytest.mark.usefixtures("provider")
def test_an_order_whose_payment_could_not_be_published_is_charged_once(
    deliver: Deliver, published: Published, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "_put", fail_to_publish)
        assert deliver(HANDLER, ORDER) == [ORDER]
    assert (len(ledger()), published()) == (1, [])
    clock.shift(1.01)
    assert deliver(HANDLER) == []
    assert len(ledger()) == len(published()) == 1


# Who crashes has measured nothing, and Powertools finds that worth a warning.
@pytest.mark.filterwarnings("ignore:No application metrics to publish:UserWarning")
@pytest.mark.usefixtures("provider")
def test_an_order_whose_function_died_between_charge_and_publish_is_charged_once(
    deliver: Deliver, published: Published, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "_put", crash)
        with pytest.raises(Crash):
            deliver(HANDLER, ORDER)
    assert (len(ledger()), published()) == (1, [])
    clock.shift(VISIBILITY_TIMEOUT + 1)
    assert deliver(HANDLER) == []
    assert len(ledger()) == len(published()) == 1


@pytest.mark.usefixtures("provider")
def test_an_order_that_can_not_be_fulfilled_is_refunded_once(
    deliver: Deliver, published: Published, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "_put", fail_to_publish)
        assert deliver(REFUND, UNFULFILLABLE) == [UNFULFILLABLE]
    clock.shift(1.01)
    assert deliver(REFUND) == []
    (entry,) = ledger()
    (event,) = published()
    assert entry.items() >= {"order_id": "order-1", "amount": "9.99", "kind": "refund"}.items()
    assert event.detail_type == "PaymentRefunded"
    assert event.data == {
        "order_id": "order-1",
        "customer_id": "customer-1",
        "amount": 9.99,
        "payment_id": "charge-order-1",
        "reason": "sold out",
    }


@pytest.mark.usefixtures("provider")
def test_an_order_that_was_not_charged_is_not_refunded_but_the_event_is_published(
    deliver: Deliver, published: Published, requests: Requests
) -> None:
    assert deliver(REFUND, UNFULFILLABLE.model_copy(update={"amount": Decimal(0)})) == []
    assert [event.detail_type for event in published()] == ["PaymentRefunded"]
    assert requests == []


@pytest.mark.usefixtures("provider")
def test_while_the_provider_is_down_a_refund_waits(
    deliver: Deliver, published: Published, clock: Clock
) -> None:
    behave(mode="down")
    assert deliver(REFUND, UNFULFILLABLE) == [UNFULFILLABLE]
    behave(mode="ok")
    clock.shift(1.01)
    assert deliver(REFUND) == []
    assert len(published()) == len(ledger()) == 1


class Crash(BaseException):
    """Nothing catches it: the function's process is gone."""


def crash(*request: object) -> None:
    raise Crash


def fail_to_publish(request: object) -> None:
    raise PublishFailed("the bus is gone")


def test_an_order_that_the_provider_does_not_understand_is_rejected(
    deliver: Deliver, published: Published, dead_letters: DeadLetters, answering: Answering
) -> None:
    answering(422, '{"error": "no such currency"}')
    assert deliver(HANDLER, ORDER) == []
    (dead_letter,) = dead_letters()
    assert "refused the request with 422: {'error': 'no such currency'}" in dead_letter.reason
    assert published() == []


# The provider's client


@pytest.mark.usefixtures("provider")
def test_the_order_id_is_the_providers_idempotency_key(
    requests: Requests,
) -> None:
    payments = {charge("order-1", "customer-1", AMOUNT) for _ in range(3)}
    assert len(payments) == len(ledger()) == 1
    assert [request["idempotency-key"] for request in requests] == ["order-1"] * 3
    assert "authorization" not in requests[0]


@pytest.mark.usefixtures("provider")
def test_the_provider_s_address_may_end_with_a_slash(
    requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYMENT_PROVIDER_URL", os.environ["PAYMENT_PROVIDER_URL"] + "/")
    charge("order-1", "customer-1", AMOUNT)
    assert requests[0]["request line"] == "POST /charges HTTP/1.1"


@pytest.mark.usefixtures("provider")
def test_behind_iam_a_request_is_signed_for_lambda(
    requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYMENT_PROVIDER_AUTH", "iam")
    charge("order-1", "customer-1", AMOUNT)
    (request,) = requests
    assert request["authorization"].startswith("AWS4-HMAC-SHA256 Credential=")
    assert "/us-east-1/lambda/aws4_request" in request["authorization"]
    assert "x-amz-date" in request


@pytest.mark.parametrize(
    "status", [302, 401, 403, 404, 405, 408, 409, 418, 425, 429, 500, 502, 503, 504]
)
def test_every_other_refusal_of_the_provider_may_pass(answering: Answering, status: int) -> None:
    answering(status, "{}")
    with pytest.raises(ProviderUnavailable, match=str(status)):
        charge("order-1", "customer-1", AMOUNT)


@pytest.mark.parametrize("status", [400, 422])
def test_a_request_that_the_provider_can_never_accept_is_rejected(
    answering: Answering, status: int
) -> None:
    answering(status, '{"error": "no"}')
    with pytest.raises(Reject, match=str(status)):
        charge("order-1", "customer-1", AMOUNT)


def test_an_order_whose_key_is_still_in_progress_at_the_provider_is_charged_later(
    deliver: Deliver, clock: Clock, dead_letters: DeadLetters, answering: Answering
) -> None:
    answering(409, '{"error": "a charge with this key is in progress"}')
    assert deliver(HANDLER, ORDER) == [ORDER]
    answering(201, '{"id": "charge-order-1"}')
    clock.shift(1.01)
    assert deliver(HANDLER) == []
    assert dead_letters() == []


@pytest.mark.parametrize(
    "body", ["", "<html>gateway timeout</html>", "{", "[]", "null", "17", '"id"', "\x00"]
)
@pytest.mark.parametrize("status", [200, 400, 402, 503])
def test_a_response_that_is_not_a_json_object_means_unavailable(
    answering: Answering, status: int, body: str
) -> None:
    answering(status, body)
    with pytest.raises(ProviderUnavailable, match=f"answered {status}, but no JSON object"):
        charge("order-1", "customer-1", AMOUNT)


def test_a_response_without_an_id_means_unavailable(answering: Answering) -> None:
    answering(200, "{}")
    with pytest.raises(ProviderUnavailable, match="no payment id"):
        charge("order-1", "customer-1", AMOUNT)


def test_a_decline_without_a_reason_is_a_decline(answering: Answering) -> None:
    answering(402, "{}")
    with pytest.raises(Declined, match="no reason given"):
        charge("order-1", "customer-1", AMOUNT)


def test_a_provider_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # and never listens
        port = reserved.getsockname()[1]
        monkeypatch.setenv("PAYMENT_PROVIDER_URL", f"http://127.0.0.1:{port}")
        with pytest.raises(ProviderUnavailable, match="did not answer"):
            charge("order-1", "customer-1", AMOUNT)


# The provider's credential

SECRET = "payment-provider"


class Guarded:
    """A provider that accepts one credential, and its secret in Secrets Manager."""

    def __init__(self) -> None:
        self.accepts = "first"
        self.seen: list[str] = []
        """The credential of each request."""
        self._manager = boto3.client("secretsmanager")
        self._manager.create_secret(Name=SECRET, SecretString="first")

    def rotate(self, to: str) -> None:
        """Change the secret; the provider goes on to accept the former."""
        self._manager.put_secret_value(SecretId=SECRET, SecretString=to)


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    """A provider that refuses with 401 what lacks its credential."""
    guard = Guarded()

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            guard.seen.append(self.headers.get("Authorization", "none").removeprefix("Bearer "))
            accepted = guard.seen[-1] == guard.accepts
            self.send_response(201 if accepted else 401)
            self.end_headers()
            self.wfile.write(b'{"id": "charge-order-1"}' if accepted else b"Who are you?")

        def log_message(self, format: str, *args: Any) -> None: ...

    provider_client._secrets.cache_clear()
    monkeypatch.setenv("PAYMENT_PROVIDER_SECRET", SECRET)
    with served(Refusing) as address:
        monkeypatch.setenv("PAYMENT_PROVIDER_URL", address)
        yield guard


def test_a_request_carries_the_credential_and_its_secret_is_read_once(
    guarded: Guarded, clock: Clock
) -> None:
    charge("order-1", "customer-1", AMOUNT)
    guarded.rotate("second")
    clock.shift(provider_client.CREDENTIAL_TTL - 1)
    charge("order-2", "customer-1", AMOUNT)
    assert guarded.seen == ["first", "first"]


def test_a_rotated_credential_is_used_after_a_while_without_a_deployment(
    guarded: Guarded, clock: Clock
) -> None:
    charge("order-1", "customer-1", AMOUNT)
    guarded.rotate("second")
    guarded.accepts = "second"
    clock.shift(provider_client.CREDENTIAL_TTL + 1)
    charge("order-2", "customer-1", AMOUNT)
    assert guarded.seen == ["first", "second"]


def test_a_credential_that_the_provider_refuses_is_read_again_at_once(guarded: Guarded) -> None:
    charge("order-1", "customer-1", AMOUNT)
    guarded.rotate("second")
    guarded.accepts = "second"
    assert charge("order-2", "customer-1", AMOUNT) == "charge-order-1"
    assert guarded.seen == ["first", "first", "second"]


def test_while_the_credential_has_expired_orders_wait_and_none_becomes_a_dead_letter(
    deliver: Deliver, published: Published, clock: Clock, dead_letters: DeadLetters,
    guarded: Guarded,
) -> None:  # fmt: skip
    guarded.accepts = "second"
    assert deliver(HANDLER, ORDER) == [ORDER]
    assert guarded.seen == ["first"], "a credential that is not new is not tried again"
    guarded.rotate("second")
    clock.shift(1.01)
    assert deliver(HANDLER) == []
    assert [event.detail_type for event in published()] == ["PaymentTaken"]
    assert dead_letters() == []


# The provider's stand-in

REQUEST = {"order_id": "order-1", "customer_id": "customer-1", "amount": "9.99"}


@pytest.mark.usefixtures("either_ledger")
@pytest.mark.parametrize(("path", "kind"), [("/charges", "charge"), ("/refunds", "refund")])
def test_a_repeated_key_is_the_same_entry(path: str, kind: str) -> None:
    first, second = ask("POST", path, REQUEST), ask("POST", path, REQUEST)
    assert first == second
    assert first[0] == 201
    assert [entry["kind"] for entry in ledger()] == [kind]


@pytest.mark.usefixtures("either_ledger")
@pytest.mark.parametrize("path", ["/charges", "/refunds"])
def test_another_key_is_another_entry(path: str) -> None:
    for key in ("key-1", "key-2"):
        ask("POST", path, REQUEST, key=key)
    assert len(ledger()) == 2


@pytest.mark.usefixtures("either_ledger")
def test_a_charge_and_a_refund_may_have_the_same_key() -> None:
    ask("POST", "/charges", REQUEST)
    ask("POST", "/refunds", REQUEST)
    assert sorted(entry["kind"] for entry in ledger()) == ["charge", "refund"]


@pytest.mark.usefixtures("either_ledger")
def test_a_charge_is_not_changed_by_a_later_request_with_its_key() -> None:
    ask("POST", "/charges", REQUEST)
    status, entry = ask("POST", "/charges", REQUEST | {"amount": "100"})
    assert (status, entry["amount"]) == (201, "9.99")


@pytest.mark.usefixtures("either_ledger")
def test_a_declined_charge_stays_declined() -> None:
    behave(decline_above="5.00")
    assert ask("POST", "/charges", REQUEST)[0] == 402
    behave(decline_above=None)
    assert ask("POST", "/charges", REQUEST)[0] == 402
    assert [entry["status"] for entry in ledger()] == ["declined"]


@pytest.mark.usefixtures("either_ledger")
def test_an_amount_at_the_limit_is_charged_and_one_above_is_declined() -> None:
    behave(decline_above="9.99")
    assert ask("POST", "/charges", REQUEST)[0] == 201
    assert ask("POST", "/charges", REQUEST | {"amount": "10.00"}, key="key-2")[0] == 402


@pytest.mark.usefixtures("either_ledger")
def test_while_the_sandbox_is_down_it_only_shows_its_ledger() -> None:
    behave(mode="down")
    assert ask("POST", "/charges", REQUEST)[0] == 503
    assert ask("POST", "/refunds", REQUEST)[0] == 503
    assert ledger() == []


@pytest.mark.usefixtures("either_ledger")
def test_while_the_sandbox_is_slow_it_answers_after_a_delay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    behave(mode="slow")
    assert ask("POST", "/charges", REQUEST)[0] == 201
    assert waited == [sandbox.SLOWNESS]


def test_the_ledger_can_be_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    behave(mode="ok")
    for number in range(7):
        ask("POST", "/charges", REQUEST, key=f"key-{number}")
    table = TableLedger(os.environ["LEDGER_TABLE"])
    scan = table._client.scan
    monkeypatch.setattr(table._client, "scan", lambda **asked: scan(**asked, Limit=2))
    monkeypatch.setattr(sandbox, "ledger", lambda: table)
    entries, pages, after = [], 0, None
    while pages == 0 or (after and pages < 20):  # an end, whatever is broken
        page = ask("GET", "/ledger", **({"after": after} if after else {}))[1]
        entries += [entry["id"] for entry in page["entries"]]
        pages, after = pages + 1, page["after"]
    assert sorted(entries) == [f"charge-key-{number}" for number in range(7)]
    assert pages >= 4


@pytest.mark.parametrize("path", ["/charges", "/refunds"])
@pytest.mark.parametrize(
    ("body", "key"),
    [
        ("", "key-1"),
        ("{", "key-1"),
        ([], "key-1"),
        (17, "key-1"),
        (None, "key-1"),
        ({}, "key-1"),
        (REQUEST | {"amount": 0}, "key-1"),
        (REQUEST | {"amount": -1}, "key-1"),
        (REQUEST | {"amount": "cheap"}, "key-1"),
        (REQUEST | {"amount": "NaN"}, "key-1"),
        (REQUEST | {"order_id": 17}, "key-1"),
        (REQUEST, None),
        (REQUEST, ""),
        (REQUEST, "k" * 256),
    ],
)
def test_an_invalid_request_is_refused_and_not_recorded(
    path: str, body: Any, key: str | None
) -> None:
    status, answer = ask("POST", path, body, key=key)
    assert status == 400
    assert answer["error"]
    assert ledger() == []


@pytest.mark.parametrize("mode", ["ok", "slow", "down"])
def test_the_sandbox_returns_the_behaviour_that_was_set(mode: str) -> None:
    behave(mode=mode, decline_above="9.50")
    began = time.monotonic()
    assert ask("GET", "/behaviour") == (200, {"mode": mode, "decline_above": "9.50"})
    assert time.monotonic() - began < sandbox.SLOWNESS


@pytest.mark.parametrize("behaviour", ["", "{", [], {"mode": "odd"}, {"decline_above": "much"}])
def test_an_invalid_behaviour_is_refused(behaviour: Any) -> None:
    assert ask("PUT", "/behaviour", behaviour)[0] == 400


def test_an_unknown_path_is_not_found() -> None:
    assert ask("GET", "/charges")[0] == 404
    assert ask("POST", "/nothing", REQUEST)[0] == 404
