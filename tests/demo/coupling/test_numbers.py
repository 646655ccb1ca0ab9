import pytest

from demo.coupling.numbers import BEGIN, END, NoPlace, as_markdown, put_into
from patchbay.project.root import ROOT
from tests.demo.coupling.reports import report, scenario, side

RUN = report(scenario("payments", "down", side(), side(finished=10, charged=3)))


def test_the_tables_say_what_the_report_says() -> None:
    lines = as_markdown({"on": "2026-11-23"} | RUN).splitlines()

    assert (
        "| payments down | events | 40 of 40 | 40 of 40 | 0 | 0.10 / 0.10 | 0.10 / 0.10 |" in lines
    )
    assert "|  | requests | 10 of 40 | 10 of 40 | 3 | 0.10 / 0.10 | 0.10 / 0.10 |" in lines
    assert "| $ for a million orders | 3.00 | 3.00 |" in lines
    assert "| of it EventBridge | 2.00 | 2.00 |" in lines


def test_new_numbers_take_the_place_of_the_old_and_nothing_else_changes() -> None:
    run = {"on": "2026-11-23"} | RUN
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"

    told = put_into(page, run)

    assert "old" not in told
    assert told.startswith(f"before\n{BEGIN}\n")
    assert told.endswith(f"{END}\nafter\n")
    assert put_into(told, run) == told


def test_a_page_without_a_place_for_them_is_left_alone() -> None:
    with pytest.raises(NoPlace, match="keeps no place"):
        put_into("nothing\n", RUN)


def test_the_docs_keep_a_place_for_them() -> None:
    page = (ROOT / "docs" / "coupling.md").read_text()

    assert page.count(BEGIN) == page.count(END) == 1
