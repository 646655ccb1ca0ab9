"""The orders service: what its API takes, what its outbox publishes, and how orders end."""

import base64
import json
from collections.abc import Callable
from decimal import Decimal
from itertools import permutations
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from contracts.fulfilment import OrderShipped, OrderUnfulfillable
from contracts.payments import PaymentDeclined, PaymentRefunded, PaymentTaken
from functions.orders import api, outbox, store
from patchbay.messaging.errors import PublishFailed
from tests.patchbay.messaging.fixtures import DeadLetters, Deliver, Lines, Published
from tests.patchbay.messaging.wire import Context

NEW_ORDER = {"customer_id": "customer-1", "items": 2, "amount": 9.99}
STATUS = "functions.orders.status"
TABLE = boto3.resource("dynamodb").Table("orders")


class Answer:
    """A response of the API."""

    def __init__(self, response: dict[str, Any]) -> None:
        self.status: int = response["statusCode"]
        self.body: dict[str, Any] = json.loads(response["body"])

    @property
    def fields(self) -> list[str]:
        """The fields that were refused."""
        return [problem["field"] for problem in self.body["fields"]]


def call(method: str, path: str, body: str | None = None, **fields: Any) -> Answer:
    """Ask the API as API Gateway does for an HTTP API."""
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": method, "path": path}, "stage": "$default"},
        "isBase64Encoded": False,
    }
    return Answer(api.handler(event | ({} if body is None else {"body": body}) | fields, Context()))


def post(order: Any = NEW_ORDER, *, key: str | None = None) -> Answer:
    headers = {"idempotency-key": key} if key is not None else {}
    return call("POST", "/orders", json.dumps(order), headers=headers)


def get(order_id: str) -> Answer:
    return call("GET", f"/orders/{order_id}")


def written() -> list[Any]:
    """Return the items in the table."""
    return list(TABLE.scan()["Items"])


@pytest.fixture
def order_id() -> str:
    """An order that was placed."""
    placed: str = post().body["order_id"]
    return placed


# The API


def test_an_order_is_placed_and_can_be_read() -> None:
    placed = post()
    assert placed.status == 201
    assert placed.body.items() >= {**NEW_ORDER, "status": "placed"}.items()
    assert get(placed.body["order_id"]).body == placed.body


def test_an_order_is_kept_to_the_cent(order_id: str) -> None:
    (item,) = written()
    assert item["order_id"] == order_id
    assert item["amount"] == Decimal("9.99")


def test_an_order_for_nothing_is_an_order() -> None:
    assert post(NEW_ORDER | {"amount": 0}).status == 201


def test_an_order_may_arrive_encoded() -> None:
    body = base64.b64encode(json.dumps(NEW_ORDER).encode()).decode()
    assert call("POST", "/orders", body, isBase64Encoded=True).status == 201


def test_an_order_that_is_accepted_is_a_line_of_the_log(lines: Lines) -> None:
    order_id = post().body["order_id"]
    assert [line["correlation_id"] for line in lines("order accepted")] == [order_id]


def test_an_order_that_was_not_placed_is_not_found() -> None:
    answer = get("no-such-order")
    assert answer.status == 404
    assert "no-such-order" in answer.body["error"]


@pytest.mark.parametrize("order_id", ["o" * 65, "o" * 3000, "not an id", "%00"])
def test_an_invalid_order_id_is_not_found_without_a_request_to_the_table(
    order_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_table", None)
    assert get(order_id).status == 404


def test_a_repeated_key_gives_the_same_order() -> None:
    first, second = post(key="a key"), post(key="a key")
    assert (first.status, first.body) == (second.status, second.body)
    assert len(written()) == 1


def test_without_a_key_two_posts_are_two_orders() -> None:
    assert post().body["order_id"] != post().body["order_id"]
    assert len(written()) == 2


def test_two_keys_are_two_orders() -> None:
    post(key="a key")
    post(key="another key")
    assert len(written()) == 2


def test_two_customers_may_use_the_same_key() -> None:
    post(key="a key")
    post(NEW_ORDER | {"customer_id": "customer-2"}, key="a key")
    assert len(written()) == 2


@pytest.mark.parametrize("change", [{"items": 3}, {"amount": 10}])
def test_a_key_that_was_used_for_another_order_is_refused(change: dict[str, Any]) -> None:
    kept = post(key="a key").body
    answer = post(NEW_ORDER | change, key="a key")
    assert (answer.status, answer.fields) == (400, ["Idempotency-Key"])
    assert get(kept["order_id"]).body == kept
    assert len(written()) == 1


def test_a_repeated_key_returns_the_orders_current_status(deliver: Deliver) -> None:
    order_id = post(key="a key").body["order_id"]
    deliver(STATUS, PaymentTaken(order_id=order_id, amount=9.99))
    assert post(key="a key").body["status"] == "paid"


def test_a_key_may_have_255_characters_and_not_one_more() -> None:
    assert post(key="k" * 255).status == 201
    answer = post(key="k" * 256)
    assert (answer.status, answer.fields) == (400, ["Idempotency-Key"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("customer_id", ""),
        ("customer_id", "a customer"),
        ("customer_id", 17),
        ("customer_id", None),
        ("items", 0),
        ("items", -1),
        ("items", 1.5),
        ("items", "many"),
        ("items", 10**40),
        ("amount", -0.01),
        ("amount", 0.001),
        ("amount", "cheap"),
        ("amount", 10**10),
        ("amount", None),
        ("discount", 1),
        ("order_id", "my-own"),
    ],
)
def test_a_bad_field_is_refused_by_name_and_nothing_is_written(field: str, value: Any) -> None:
    answer = post(NEW_ORDER | {field: value})
    assert (answer.status, answer.fields) == (400, [field])
    assert written() == []


@pytest.mark.parametrize("field", NEW_ORDER)
def test_a_missing_field_is_refused_by_name_and_nothing_is_written(field: str) -> None:
    answer = post({name: value for name, value in NEW_ORDER.items() if name != field})
    assert (answer.status, answer.fields) == (400, [field])
    assert written() == []


@pytest.mark.parametrize("body", [None, "", "{", "null", "[]", "17", '"order"', "NaN", "\x00"])
def test_a_body_that_is_not_an_order_is_refused(body: str | None) -> None:
    answer = call("POST", "/orders", body)
    assert (answer.status, answer.fields) == (400, ["body"])
    assert written() == []


@pytest.mark.parametrize("body", ["not base64!", "a", base64.b64encode(b"\xff\xfe").decode()])
def test_a_body_that_can_not_be_decoded_is_refused(body: str) -> None:
    answer = call("POST", "/orders", body, isBase64Encoded=True)
    assert (answer.status, answer.fields) == (400, ["body"])


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    JUNK
    | st.fixed_dictionaries(
        {},
        optional={
            "customer_id": JUNK | st.just("customer-1"),
            "items": JUNK | st.just(2),
            "amount": JUNK | st.just(9.99),
            "more": JUNK,
        },
    )
)
def test_any_body_is_an_order_or_refused_and_never_an_error(body: Any) -> None:
    before = len(written())
    answer = post(body)
    assert answer.status in (201, 400)
    assert len(written()) - before == (answer.status == 201)
    assert answer.status == 201 or answer.fields


# The outbox


@pytest.fixture
def stream() -> Callable[[], dict[str, Any]]:
    """Reads the orders table's stream, from its beginning, as Lambda hands it to the outbox."""

    def read() -> dict[str, Any]:
        table = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].get_table("orders")
        assert table.stream_shard is not None
        records = [record.to_json() for record in table.stream_shard.items]
        # The event source mapping's filter passes nothing but new orders.
        return {"Records": [record for record in records if record["eventName"] == "INSERT"]}

    return read


Stream = Callable[[], dict[str, Any]]


def test_every_order_is_published_once_as_the_start_of_its_own_journey(
    stream: Stream, published: Published
) -> None:
    placed = [post().body for _ in range(12)]
    outbox.handler(stream(), Context())
    assert [event.data["order_id"] for event in published()] == [o["order_id"] for o in placed]
    assert {event.detail_type for event in published()} == {"OrderPlaced"}
    for event in published():
        assert event.metadata.correlation_id == event.data["order_id"]
        assert event.metadata.causation_id is None
    assert published()[0].data.items() >= NEW_ORDER.items()


def test_a_refused_order_is_not_published(stream: Stream, published: Published) -> None:
    post(NEW_ORDER | {"items": 0})
    outbox.handler(stream(), Context())
    assert published() == []


def test_a_batch_that_is_read_again_publishes_the_same_ids_again(
    stream: Stream, published: Published
) -> None:
    for _ in range(3):
        post()
    for _ in range(2):
        outbox.handler(stream(), Context())
    ids = [event.metadata.id for event in published()]
    assert len(set(ids)) == 3
    assert ids[:3] == ids[3:]


def test_an_order_with_a_later_status_is_still_published_as_it_was_placed(
    stream: Stream, published: Published, deliver: Deliver, order_id: str
) -> None:
    batch = stream()
    deliver(STATUS, PaymentTaken(order_id=order_id, amount=9.99))
    outbox.handler(batch, Context())
    assert [event.data for event in published()] == [{"order_id": order_id, **NEW_ORDER}]


def test_if_the_bus_refuses_an_event_the_batch_is_retried(
    stream: Stream, published: Published, order_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_BUS_NAME", "another")
    with pytest.raises(PublishFailed, match="OrderPlaced"):
        outbox.handler(stream(), Context())
    assert published() == []


def test_with_an_unreadable_record_the_batch_is_retried_and_nothing_is_published(
    stream: Stream, published: Published
) -> None:
    post()
    post()
    batch = stream()
    del batch["Records"][1]["dynamodb"]["NewImage"]["customer_id"]
    with pytest.raises(ValueError, match="customer_id"):
        outbox.handler(batch, Context())
    assert published() == []


def test_a_published_order_is_a_line_of_the_log(
    stream: Stream, published: Published, order_id: str, lines: Lines
) -> None:
    outbox.handler(stream(), Context())
    assert [line["correlation_id"] for line in lines("published")] == [order_id]


# The status


def taken(order_id: str) -> PaymentTaken:
    return PaymentTaken(order_id=order_id, amount=9.99, payment_id="payment-1")


def declined(order_id: str) -> PaymentDeclined:
    return PaymentDeclined(
        order_id=order_id, customer_id="customer-1", amount=9.99, reason="no funds"
    )


def test_an_order_whose_payment_was_taken_is_paid(deliver: Deliver, order_id: str) -> None:
    assert deliver(STATUS, taken(order_id)) == []
    order = get(order_id).body
    assert order["status"] == "paid"
    assert "reason" not in order


def test_an_order_whose_payment_was_declined_has_the_reason(
    deliver: Deliver, order_id: str
) -> None:
    assert deliver(STATUS, declined(order_id)) == []
    order = get(order_id).body
    assert (order["status"], order["reason"]) == ("declined", "no funds")


def shipped(order_id: str) -> OrderShipped:
    return OrderShipped(
        order_id=order_id, customer_id="customer-1", items=2, warehouse="a", tracking="T-1"
    )


def unfulfillable(order_id: str) -> OrderUnfulfillable:
    return OrderUnfulfillable(
        order_id=order_id, customer_id="customer-1", amount=9.99, reason="sold out"
    )


def refunded(order_id: str) -> PaymentRefunded:
    return PaymentRefunded(
        order_id=order_id, customer_id="customer-1", amount=9.99, reason="sold out"
    )


def test_an_order_that_was_sent_is_shipped(deliver: Deliver, order_id: str) -> None:
    assert deliver(STATUS, taken(order_id), shipped(order_id)) == []
    assert get(order_id).body["status"] == "shipped"


@pytest.mark.parametrize(
    ("step", "status"), [(unfulfillable, "unfulfillable"), (refunded, "refunded")]
)
def test_an_order_that_can_not_be_fulfilled_has_the_reason(
    deliver: Deliver, order_id: str, step: Callable[[str], Any], status: str
) -> None:
    assert deliver(STATUS, taken(order_id), step(order_id)) == []
    order = get(order_id).body
    assert (order["status"], order["reason"]) == (status, "sold out")


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([taken, declined], "paid"),
        ([declined, taken], "declined"),
        *[(list(order), "shipped") for order in permutations([taken, shipped])],
        *[(list(order), "refunded") for order in permutations([taken, unfulfillable, refunded])],
        ([shipped, shipped, taken, taken], "shipped"),
    ],
)
def test_in_any_order_of_events_an_order_ends_with_its_latest_status(
    deliver: Deliver, order_id: str, steps: list[Callable[[str], Any]], status: str
) -> None:
    assert deliver(STATUS, *[step(order_id) for step in steps]) == []
    assert get(order_id).body["status"] == status


def test_the_outcome_of_an_order_that_does_not_exist_is_rejected(
    deliver: Deliver, dead_letters: DeadLetters
) -> None:
    assert deliver(STATUS, taken("no-such-order")) == []
    assert [dead_letter.reason for dead_letter in dead_letters()] == [
        "there is no order no-such-order"
    ]
    with pytest.raises(store.NoSuchOrder):
        store.get("no-such-order")
