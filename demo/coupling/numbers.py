"""The numbers of a run, as tables in a page of the docs."""

from collections.abc import Iterator, Mapping
from typing import Any

from demo.coupling.names import EVENT_DRIVEN
from demo.coupling.prices import SEEN
from demo.coupling.report import SIDES, costs, spread, title_of

BEGIN = "<!-- The numbers, written by `make coupling`. -->"
END = "<!-- The end of the numbers. -->"


class MissingMarkers(ValueError):
    """The page has no markers for the numbers."""


def put_into(page: str, report: Mapping[str, Any]) -> str:
    """Return the page with new numbers between its markers; raises MissingMarkers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise MissingMarkers(f"The page has no markers for the numbers: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{as_markdown(report)}\n{END}{after}"


def as_markdown(report: Mapping[str, Any]) -> str:
    """Return the outcomes and the costs as two tables."""
    return "\n".join([*_outcomes(report), "", *_costs(report), ""])


def _outcomes(report: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"Measured on {report['on']}: {report['orders']} orders for each fault and side, "
        f"{report['rate']:g} a second; times in seconds, p50 / p95."
    )
    yield ""
    yield "| what is broken | by | accepted | finished | failed, had paid | answer | finished in |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for scenario in report["scenarios"]:
        for name in SIDES:
            side = scenario["sides"][name]
            cells = (
                title_of(scenario) if name == EVENT_DRIVEN else "",
                "events" if name == EVENT_DRIVEN else "requests",
                f"{side['accepted']} of {side['placed']}",
                f"{side['finished']} of {side['placed']}",
                str(side["charged_but_not_finished"]),
                spread(side["answer"]),
                spread(side["finish"]),
            )
            yield f"| {' | '.join(cells)} |"


def _costs(report: Mapping[str, Any]) -> Iterator[str]:
    yield f"| while all is well, at AWS's list prices of {SEEN} | by events | by requests |"
    yield "|---|--:|--:|"
    for what, amounts in costs(report):
        yield f"| {' | '.join((what, *amounts))} |"
