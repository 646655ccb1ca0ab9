import sys
from pathlib import Path

import pytest

from contracts.alerts import AlertCleared, AlertRaised
from contracts.sensors import ReadingTaken
from patchbay.events import catalogue
from patchbay.events.catalogue import UnknownEvent, event_named, events
from patchbay.events.event import Event


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for the folder of the contracts."""
    package = sys.modules["contracts"]
    monkeypatch.setattr(catalogue, "_CONTRACTS", tmp_path)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    return tmp_path


def module(folder: Path, name: str, code: str) -> None:
    folder.joinpath(f"{name}.py").write_text(code)


BED_DUG = "from patchbay.events.event import Event\nclass BedDug(Event): ...\n"


def test_every_event_is_found_by_its_detail_type() -> None:
    found = events()
    for event in (ReadingTaken, AlertRaised, AlertCleared):
        assert found[event.__name__] is event


def test_the_base_class_is_not_an_event() -> None:
    assert Event not in events().values()


def test_an_event_in_a_new_module_is_found_without_being_listed(folder: Path) -> None:
    module(folder, "a_new_domain", BED_DUG)
    assert [event.source() for event in events().values()] == ["greenhouse.a_new_domain"]


def test_an_event_that_a_module_only_imports_is_not_its_own(folder: Path) -> None:
    module(folder, "first_domain", BED_DUG)
    module(folder, "second_domain", "from contracts.first_domain import BedDug\n")
    assert [event.source() for event in events().values()] == ["greenhouse.first_domain"]


def test_a_name_that_is_defined_twice_is_refused_and_both_places_are_named(folder: Path) -> None:
    module(folder, "one_domain", BED_DUG)
    module(folder, "other_domain", BED_DUG)
    with pytest.raises(ValueError, match=r"BedDug .* contracts\.one_domain and .*other_domain"):
        events()


def test_an_event_is_found_by_name() -> None:
    assert event_named("ReadingTaken") is ReadingTaken


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("ReadingTakn", "ReadingTaken"),
        ("readingtaken", "ReadingTaken"),
        ("ALERTRAISED", "AlertRaised"),
        ("AlertClear", "AlertCleared"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(typed: str, nearest: str) -> None:
    with pytest.raises(UnknownEvent, match=f"no event '{typed}'. Did you mean '{nearest}'?"):
        event_named(typed)


def test_a_name_that_is_close_to_none_is_answered_with_all() -> None:
    with pytest.raises(UnknownEvent, match=r"The events are: .*ReadingTaken"):
        event_named("xyz")
