import json
import re
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from patchbay.events import compatibility
from patchbay.events.compatibility import (
    breaking_changes,
    main,
    problems,
    schema_file,
    schema_of,
    write,
)
from patchbay.events.event import Event

Fields = dict[str, Any]  # a field's type and default, as pydantic's create_model takes them

REQUIRED = ...
ORIGINAL: Fields = {
    "bed_id": (str, REQUIRED),
    "weight": (int, REQUIRED),
    "note": (str | None, None),
}


def bed_dug(fields: Fields, *, version: int = 1) -> type[Event]:
    """An event called BedDug that has these fields."""
    event = create_model("BedDug", __base__=Event, __module__="contracts.beds", **fields)
    event.version = version
    return event


def recorded(folder: Path, fields: Fields) -> None:
    """The event is on file as it was with these fields."""
    write(catalogue(bed_dug(fields)), folder)


def catalogue(event: type[Event]) -> dict[str, type[Event]]:
    return {event.detail_type(): event}


def changes(fields: Fields) -> list[str]:
    return breaking_changes(schema_of(bed_dug(ORIGINAL)), schema_of(bed_dug(fields)))


def without(name: str) -> Fields:
    return {key: field for key, field in ORIGINAL.items() if key != name}


# What breaks, and what does not


def test_an_event_does_not_break_itself() -> None:
    assert changes(ORIGINAL) == []


def test_a_new_optional_field_breaks_nothing() -> None:
    assert changes(ORIGINAL | {"colour": (str | None, None), "fragile": (bool, False)}) == []


def test_a_new_required_field_is_named() -> None:
    assert changes(ORIGINAL | {"colour": (str, REQUIRED)}) == ["field 'colour' is newly required"]


def test_a_removed_field_is_named() -> None:
    assert changes(without("weight")) == ["field 'weight' was removed or renamed"]


def test_a_renamed_field_is_named_with_both_its_names() -> None:
    assert changes(without("weight") | {"grams": (int, REQUIRED)}) == [
        "field 'weight' was removed or renamed",
        "field 'grams' is newly required",
    ]


def test_a_retyped_field_is_named_with_both_its_types() -> None:
    assert changes(ORIGINAL | {"weight": (str, REQUIRED)}) == [
        """field 'weight' was retyped from {"type": "integer"} to {"type": "string"}"""
    ]


def test_a_field_with_a_tighter_limit_is_retyped() -> None:
    (change,) = changes(ORIGINAL | {"weight": (Annotated[int, Field(gt=0)], REQUIRED)})
    assert change.startswith("field 'weight' was retyped")


def test_a_field_that_becomes_required_is_named() -> None:
    (change,) = changes(ORIGINAL | {"note": (str | None, REQUIRED)})
    assert change == "field 'note' is newly required"


def test_a_field_that_becomes_optional_is_named() -> None:
    (change,) = changes(ORIGINAL | {"weight": (int, 0)})
    assert change == "field 'weight' is no longer required, and readers count on it"


def test_every_change_is_named_not_just_the_first() -> None:
    assert len(changes({"weight": (str, REQUIRED), "note": (int, REQUIRED)})) == 4


def test_a_description_changes_nothing() -> None:
    described = Annotated[int, Field(title="Grams", description="in grams", examples=[100])]
    assert changes(ORIGINAL | {"weight": (described, REQUIRED)}) == []


class Address(BaseModel):
    city: str


class LongerAddress(Address):
    country: str


class Address2(BaseModel):
    city: str


def test_a_change_in_a_model_within_the_event_is_seen() -> None:
    before, after = (
        schema_of(bed_dug({"to": (kind, REQUIRED)})) for kind in (Address, LongerAddress)
    )
    (change,) = breaking_changes(before, after)
    assert change.startswith("field 'to' was retyped")


def test_a_model_within_the_event_may_be_called_something_else() -> None:
    before, after = (schema_of(bed_dug({"to": (kind, REQUIRED)})) for kind in (Address, Address2))
    assert breaking_changes(before, after) == []


def test_a_field_called_title_is_a_field_like_any_other() -> None:
    class Record(BaseModel):
        title: str

    class Numbered(BaseModel):
        title: int

    before, after = (
        schema_of(bed_dug({"record": (kind, REQUIRED)})) for kind in (Record, Numbered)
    )
    (change,) = breaking_changes(before, after)
    assert change.startswith("field 'record' was retyped")


TYPES = st.sampled_from([str, int, bool, float, str | None, list[int], dict[str, int]])
FIELDS = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.tuples(TYPES, st.sampled_from([REQUIRED, None])),
    max_size=6,
)


@given(FIELDS, FIELDS)
def test_a_change_is_safe_just_when_it_only_adds_optional_fields(old: Fields, new: Fields) -> None:
    found = breaking_changes(schema_of(bed_dug(old)), schema_of(bed_dug(new)))
    added = new.keys() - old.keys()
    safe = all(new.get(name) == old[name] for name in old) and all(
        new[name][1] is None for name in added
    )
    assert (found == []) == safe


@given(FIELDS, FIELDS)
def test_every_field_that_breaks_is_named_and_no_other(old: Fields, new: Fields) -> None:
    found = breaking_changes(schema_of(bed_dug(old)), schema_of(bed_dug(new)))
    named = {match for change in found for match in re.findall(r"^field '(\w+)'", change)}
    changed = {name for name in old if new.get(name) != old[name]}
    demanded = {name for name in new if name not in old and new[name][1] is REQUIRED}
    assert named == changed | demanded


# What is on file


def test_a_schema_is_named_after_its_source_its_event_and_its_version() -> None:
    assert schema_file(bed_dug({}, version=3)).name == "greenhouse.beds.BedDug.v3.json"


def test_a_new_event_has_to_be_recorded(tmp_path: Path) -> None:
    new = catalogue(bed_dug(ORIGINAL))
    assert problems(new, tmp_path) == [
        "BedDug version 1 has no schema on file: run `make schemas`."
    ]
    assert [path.name for path in write(new, tmp_path)] == ["greenhouse.beds.BedDug.v1.json"]
    assert problems(new, tmp_path) == []


def test_a_safe_change_has_to_be_recorded(tmp_path: Path) -> None:
    recorded(tmp_path, ORIGINAL)
    changed = catalogue(bed_dug(ORIGINAL | {"colour": (str | None, None)}))
    assert problems(changed, tmp_path) == [
        "BedDug changed without breaking anyone: run `make schemas` to record it."
    ]
    assert len(write(changed, tmp_path)) == 1
    assert problems(changed, tmp_path) == []


def test_an_unchanged_schema_is_not_written_again(tmp_path: Path) -> None:
    recorded(tmp_path, ORIGINAL)
    assert write(catalogue(bed_dug(ORIGINAL)), tmp_path) == []


def test_a_breaking_change_names_the_event_the_field_and_the_remedy(tmp_path: Path) -> None:
    recorded(tmp_path, ORIGINAL)
    assert problems(catalogue(bed_dug(without("weight"))), tmp_path) == [
        "BedDug: field 'weight' was removed or renamed. That breaks its version 1: undo it, "
        "or set `version: ClassVar[int] = 2` in contracts.beds.BedDug."
    ]


def test_a_breaking_change_never_overwrites_a_schema(tmp_path: Path) -> None:
    recorded(tmp_path, ORIGINAL)
    (promised,) = tmp_path.iterdir()
    before, broken = promised.read_text(), catalogue(bed_dug(without("weight")))
    assert write(broken, tmp_path) == []
    assert promised.read_text() == before
    assert problems(broken, tmp_path) != []


def test_a_new_version_has_a_file_of_its_own_and_the_old_one_stays(tmp_path: Path) -> None:
    recorded(tmp_path, ORIGINAL)
    renewed = catalogue(bed_dug(without("weight"), version=2))
    assert problems(renewed, tmp_path) != []
    write(renewed, tmp_path)
    files = {path.name: json.loads(path.read_text()) for path in tmp_path.iterdir()}
    assert "weight" in files["greenhouse.beds.BedDug.v1.json"]["properties"]
    assert "weight" not in files["greenhouse.beds.BedDug.v2.json"]["properties"]
    assert problems(renewed, tmp_path) == []


def test_a_removed_event_is_named(tmp_path: Path) -> None:
    recorded(tmp_path, ORIGINAL)
    assert problems({}, tmp_path) == ["BedDug was removed, and consumers may still wait for it."]


# The command


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one event, BedDug, whose schema is on file in this folder."""
    folder = tmp_path / "contracts" / "schemas"
    folder.mkdir(parents=True)
    recorded(folder, ORIGINAL)
    monkeypatch.setattr(compatibility, "SCHEMAS", folder)
    for function in (problems, write):
        monkeypatch.setattr(function, "__defaults__", (folder,))
    return folder


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> "Now":
    return Now(monkeypatch)


class Now:
    """Says what the project's event has become."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, fields: Fields) -> None:
        found = catalogue(bed_dug(fields))
        self._monkeypatch.setattr(compatibility, "events", lambda: found)


@pytest.mark.usefixtures("project")
def test_it_exits_0_and_prints_nothing_if_nothing_changed(
    now: Now, capsys: pytest.CaptureFixture[str]
) -> None:
    now(ORIGINAL)
    assert main() == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("project")
def test_it_exits_1_and_names_the_breaking_change(
    now: Now, capsys: pytest.CaptureFixture[str]
) -> None:
    now(without("weight"))
    assert main() == 1
    assert "field 'weight' was removed" in capsys.readouterr().err


@pytest.mark.usefixtures("project")
def test_writing_a_safe_change_exits_0_and_names_the_file(
    now: Now, capsys: pytest.CaptureFixture[str]
) -> None:
    now(ORIGINAL | {"colour": (str | None, None)})
    assert main() == 1
    capsys.readouterr()
    assert main(record=True) == 0
    assert capsys.readouterr().out == "wrote contracts/schemas/greenhouse.beds.BedDug.v1.json\n"
    assert main() == 0


def test_writing_a_breaking_change_exits_1_and_writes_nothing(project: Path, now: Now) -> None:
    (promised,) = project.iterdir()
    before = promised.read_text()
    now(without("weight"))
    assert main(record=True) == 1
    assert promised.read_text() == before
