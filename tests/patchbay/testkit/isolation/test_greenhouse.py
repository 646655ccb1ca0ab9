"""The isolation matrix holds for the sample project, and finds deliberate mistakes in copies."""

import copy
import json
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from patchbay.events.event import Event
from patchbay.messaging.publishing import MAX_EVENT_BYTES
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.invariants import Invariants
from patchbay.testkit.isolation.command import fill
from patchbay.testkit.isolation.matrix import Matrix
from patchbay.testkit.isolation.troubles import TROUBLES, Enlarged, Trouble
from patchbay.testkit.templates import Templates
from tests.patchbay.greenhouse import assembly

STAGE = "dev"
Resources = dict[str, dict[str, Any]]
Change = Callable[[Resources], object]


class GreenhousesInvariants(Invariants[Cloud]):
    """Each reading is stored once, and each hot bed is watered once."""

    def events(self) -> Sequence[type[Event]]:
        return []  # only the sensors publish

    def drive(self, cloud: Cloud) -> None:
        for sensor, celsius in (("north", 20.5), ("south", 41.5), ("stuck-1", 50)):
            reading = {"sensor_id": sensor, "celsius": celsius, "taken_at": cloud.now.isoformat()}
            answer = cloud.request("POST", "/readings", reading)
            assert answer.status == 201, answer

    def effects(self, cloud: Cloud) -> dict[str, object]:
        return {
            f"the water of bed {tank['sensor_id']}": tank.get("litres")
            for tank in cloud.table("watering-tanks")
        }


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates.from_assembly(assembly(STAGE), stage=STAGE)


@pytest.fixture(scope="module")
def matrix(templates: Templates) -> Matrix:
    return Matrix(templates, GreenhousesInvariants())


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_no_consumer_is_affected_by_anothers_trouble(trouble: Trouble, matrix: Matrix) -> None:
    cells = [matrix.cell(consumer, trouble) for consumer in ("alerts", "notes")]
    assert [f"{cell.consumer}: {cell.why}" for cell in cells if not cell.holds] == []


def test_every_consumer_is_in_the_matrix(matrix: Matrix) -> None:
    assert matrix.consumers == [
        "alerts", "alerts-clear", "diary-frost", "diary-pages", "notes", "sensors-status",
        "watering",
    ]  # fmt: skip


def changed(templates: Templates, service: str, change: Change) -> Templates:
    """Return the system with a change to a copy of one service's resources."""
    stack = f"{templates.prefix}{service}"
    body = copy.deepcopy(dict(templates.bodies[stack]))
    change(body["Resources"])
    return templates.with_bodies({**templates.bodies, stack: body})


def without_partial_responses(resources: Resources) -> None:
    for each in resources.values():
        if each["Type"] == "AWS::Lambda::EventSourceMapping":
            del each["Properties"]["FunctionResponseTypes"]


def test_a_cell_that_does_not_hold_is_printed_with_its_reason_and_fails_the_command(
    templates: Templates, tmp_path: Path
) -> None:
    broken = changed(templates, "notes", without_partial_responses)
    raises = [trouble for trouble in TROUBLES if trouble.name == "raises"]
    shown, report = StringIO(), tmp_path / "isolation.json"
    matrix = Matrix(broken, GreenhousesInvariants(), raises)
    assert fill(matrix, Console(file=shown, width=200), report) == 1

    cells = json.loads(report.read_text())["cells"]
    (wrong,) = [cell for cell in cells if not cell["holds"]]
    assert (wrong["consumer"], wrong["fault"]) == ("notes", "raises")
    assert "✗  notes raises" in shown.getvalue()
    assert "notes neither handled" in wrong["why"]
    assert wrong["why"] in " ".join(shown.getvalue().split())
    assert f"{len(cells) - 1} of {len(cells)} hold" in shown.getvalue()


def test_the_largest_event_is_as_large_as_publish_allows(
    templates: Templates, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Cloud(templates) as cloud:
        GreenhousesInvariants().drive(cloud)
        cloud.settle()
        sizes: list[int] = []
        monkeypatch.setattr(cloud, "put", lambda *entry: sizes.append(len("".join(entry).encode())))
        Enlarged("").go_on(cloud, "alerts")
        assert sizes == [MAX_EVENT_BYTES]
