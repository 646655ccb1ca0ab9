import pytest

from demo.coupling.numbers import BEGIN, END, MissingMarkers, as_markdown, put_into
from patchbay.project.root import ROOT
from tests.demo.coupling.reports import report, scenario, side

RUN = report(scenario("payments", "down", side(), side(finished=10, charged=3)))


def test_the_tables_have_the_reports_numbers() -> None:
    lines = as_markdown({"on": "2026-11-23"} | RUN).splitlines()

    assert (
        "| payments down | events | 40 of 40 | 40 of 40 | 0 | 0.10 / 0.10 | 0.10 / 0.10 |" in lines
    )
    assert "|  | requests | 10 of 40 | 10 of 40 | 3 | 0.10 / 0.10 | 0.10 / 0.10 |" in lines
    assert "| $ for a million orders | 3.00 | 3.00 |" in lines
    assert "| of it EventBridge | 2.00 | 2.00 |" in lines


def test_new_numbers_replace_the_old_and_nothing_else_changes() -> None:
    run = {"on": "2026-11-23"} | RUN
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"

    updated = put_into(page, run)

    assert "old" not in updated
    assert updated.startswith(f"before\n{BEGIN}\n")
    assert updated.endswith(f"{END}\nafter\n")
    assert put_into(updated, run) == updated


def test_a_page_without_markers_is_an_error() -> None:
    with pytest.raises(MissingMarkers, match="has no markers"):
        put_into("nothing\n", RUN)


def test_the_page_in_the_docs_has_the_markers() -> None:
    page = (ROOT / "docs" / "coupling.md").read_text()

    assert page.count(BEGIN) == page.count(END) == 1
