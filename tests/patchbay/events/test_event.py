import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from pydantic import ValidationError

from contracts.orders import OrderPlaced
from patchbay.events.event import Envelope, Metadata

ORDER = OrderPlaced(order_id="order-1", customer_id="customer-1", items=2, amount=9.99)


def test_the_detail_type_is_the_class_s_name_and_the_source_its_module_s() -> None:
    assert OrderPlaced.detail_type() == "OrderPlaced"
    assert OrderPlaced.source() == "shop.orders"


def test_an_event_can_not_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        ORDER.items = 3  # type: ignore[misc]


def test_a_field_that_the_contract_does_not_know_is_ignored() -> None:
    fields = ORDER.model_dump() | {"gift_wrapped": True}
    assert OrderPlaced.model_validate(fields) == ORDER


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("order_id", ""),
        ("order_id", "order 1"),
        ("order_id", "order-1\n"),
        ("order_id", "o" * 65),
        ("customer_id", "Ö"),
        ("items", 0),
        ("items", 1.5),
        ("amount", -0.01),
    ],
)
def test_a_value_outside_of_its_limits_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        OrderPlaced.model_validate(ORDER.model_dump() | {field: value})


def test_an_envelope_holds_the_metadata_and_all_of_the_event_s_own_fields() -> None:
    metadata = Metadata.now(id=uuid4(), version=1, correlation_id="j-1")
    detail = json.loads(Envelope(metadata=metadata, data=ORDER).model_dump_json())
    assert Metadata.model_validate(detail["metadata"]) == metadata
    assert OrderPlaced.model_validate(detail["data"]) == ORDER


def test_metadata_made_now_say_so() -> None:
    before = datetime.now(UTC)
    made = Metadata.now(id=uuid4(), version=1, correlation_id="j-1")
    assert before <= made.published_at <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", "17"), ("version", 0), ("correlation_id", ""), ("correlation_id", "x" * 129)],
)
def test_metadata_outside_of_their_limits_are_refused_by_name(field: str, value: object) -> None:
    fields = Metadata.now(id=uuid4(), version=1, correlation_id="j-1").model_dump()
    with pytest.raises(ValidationError, match=field):
        Metadata.model_validate(fields | {field: value})
