from typing import Any
from xml.etree import ElementTree

import pytest

from demo.coupling.figure import BAR_WIDTH, WIDTH, draw
from tests.demo.coupling.reports import report, scenario, side

SVG = "{http://www.w3.org/2000/svg}"
DOWN = scenario("notifications", "down", side(), side(finished=10, charged=27, answer=2.5))


def parsed(run: dict[str, Any]) -> ElementTree.Element:
    return ElementTree.fromstring(draw(run))  # noqa: S314 - our own figure


def words(figure: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in figure.iter(f"{SVG}text")]


def bars(figure: ElementTree.Element, kind: str) -> list[int]:
    return [int(r.attrib["width"]) for r in figure.iter(f"{SVG}rect") if r.get("class") == kind]


def test_it_shows_the_numbers_of_finished_failed_and_paid_orders() -> None:
    figure = parsed(report(DOWN))

    texts = words(figure)
    assert "Notifications down" in texts
    assert {"30 failed", "25 %", "27 of them had paid", "2.50 s"} <= set(texts)
    assert texts.count("all") == 3


def test_its_bars_are_in_proportion_to_the_orders() -> None:
    figure = parsed(report(DOWN))

    quarter = round(BAR_WIDTH / 4)
    assert sorted(bars(figure, "done")) == [quarter, BAR_WIDTH, BAR_WIDTH, BAR_WIDTH]
    assert bars(figure, "failed") == [BAR_WIDTH - quarter]


def test_it_has_a_description_for_screen_readers() -> None:
    figure = parsed(report(DOWN))

    assert figure.get("role") == "img"
    title, description = figure.find(f"{SVG}title"), figure.find(f"{SVG}desc")
    assert title is not None
    assert title.text
    assert description is not None
    assert (
        "Notifications down: event-driven, 40 of 40 orders finished, answered within 0.10 s; "
        "request-response, 10 of 40 orders finished, answered within 2.50 s."
    ) in str(description.text)


def test_it_is_well_formed_whatever_the_fault_is_called() -> None:
    assert "SES <refuses> & rejects" in words(parsed(report(DOWN)))


@pytest.mark.parametrize("finished", [0, 1, 39, 40])
def test_any_outcome_can_be_drawn(finished: int) -> None:
    sides = side(finished=finished, answer=None if finished == 0 else 0.1)
    figure = parsed(report(scenario("payments", "down", sides, sides)))

    assert all(int(r.get("width", 0)) <= WIDTH for r in figure.iter(f"{SVG}rect"))
    assert sum(bars(figure, "done") + bars(figure, "failed")) == 4 * BAR_WIDTH


def test_the_same_run_gives_the_same_bytes() -> None:
    assert draw(report(DOWN)) == draw(report(DOWN))
