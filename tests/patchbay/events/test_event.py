import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from pydantic import ValidationError

from contracts.sensors import ReadingTaken
from patchbay.events.event import Envelope, Metadata

READING = ReadingTaken(
    sensor_id="bed-1", celsius=Decimal("21.5"), taken_at=datetime(2026, 3, 1, tzinfo=UTC)
)


def test_the_detail_type_is_the_class_s_name_and_the_source_its_module_s() -> None:
    assert ReadingTaken.detail_type() == "ReadingTaken"
    assert ReadingTaken.source() == "greenhouse.sensors"


def test_an_event_can_not_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        READING.celsius = Decimal(3)  # type: ignore[misc]


def test_a_field_that_the_contract_does_not_know_is_ignored() -> None:
    fields = READING.model_dump() | {"indoors": True}
    assert ReadingTaken.model_validate(fields) == READING


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sensor_id", ""),
        ("sensor_id", "bed 1"),
        ("sensor_id", "bed-1\n"),
        ("sensor_id", "b" * 65),
        ("sensor_id", "Ö"),
        ("celsius", -90.5),
        ("celsius", 21.55),
        ("taken_at", "2026-03-01T00:00:00"),
    ],
)
def test_a_value_outside_of_its_limits_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        ReadingTaken.model_validate(READING.model_dump() | {field: value})


def test_an_envelope_holds_the_metadata_and_all_of_the_event_s_own_fields() -> None:
    metadata = Metadata.now(id=uuid4(), version=1, correlation_id="j-1")
    detail = json.loads(Envelope(metadata=metadata, data=READING).model_dump_json())
    assert Metadata.model_validate(detail["metadata"]) == metadata
    assert ReadingTaken.model_validate(detail["data"]) == READING


def test_metadata_made_now_have_the_current_time() -> None:
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
