"""Services are found, not listed: one in each module of stacks."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import patchbay.app.services as discovery
from patchbay.app.services import BadService, in_order, services
from patchbay.constructs.service import Service
from tests.patchbay.apps import app_for

ONE = "from patchbay.constructs.service import Service\n\nclass {0}(Service):\n    pass\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty stacks."""
    package = ModuleType("stacks")
    package.__path__ = [str(tmp_path)]
    before = {name for name in sys.modules if name.startswith("stacks")}
    for name in before:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "stacks", package)
    monkeypatch.setattr(discovery, "_STACKS", tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("stacks.")]:
        del sys.modules[name]


def test_services_are_found_by_name_and_the_broker_is_not_one(folder: Path) -> None:
    for name in ("watering", "alerts", "broker"):
        (folder / f"{name}.py").write_text(ONE.format(name.title()))
    assert [service.service_name() for service in services()] == ["alerts", "watering"]


def test_a_service_is_named_after_its_module(folder: Path) -> None:
    (folder / "bed_notes.py").write_text(ONE.format("Whatever"))
    (service,) = services()
    assert service.service_name() == "bed-notes"
    assert issubclass(service, Service)


def test_an_imported_service_does_not_count(folder: Path) -> None:
    (folder / "first.py").write_text(ONE.format("First"))
    (folder / "second.py").write_text(
        "from stacks.first import First\n\nclass Second(First):\n    pass\n"
    )
    assert [service.__name__ for service in services()] == ["First", "Second"]


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("x = 1\n", 0), (ONE.format("A") + "\nclass B(Service):\n    pass\n", 2)],
)
def test_a_module_that_does_not_define_exactly_one_service_is_named(
    text: str, count: int, folder: Path
) -> None:
    (folder / "loyalty.py").write_text(text)
    with pytest.raises(BadService, match=rf"loyalty\.py defines {count} services"):
        services()


class Reader(Service):
    """Reads another service's stream."""

    @classmethod
    def service_name(cls) -> str:
        return "reader"

    def compose(self) -> None:
        self.reads.add("source")


class Source(Service):
    """Has a stream."""

    @classmethod
    def service_name(cls) -> str:
        return "source"

    def compose(self) -> None:
        self.stream()


def test_a_service_that_reads_a_stream_is_deployed_after_the_streams_service(
    tmp_path: Path,
) -> None:
    app = app_for("dev", tmp_path)
    reader, source = Reader(app), Source(app)
    in_order([reader, source])
    assert reader.dependencies == [source]
    assert source.dependencies == []


def test_a_stream_of_a_service_that_the_stage_does_not_have_is_refused(tmp_path: Path) -> None:
    app = app_for("dev", tmp_path)
    with pytest.raises(BadService, match="reader reads the stream of source, a service that"):
        in_order([Reader(app)])
