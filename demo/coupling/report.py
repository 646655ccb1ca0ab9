"""The report of a run, as tables for the terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from demo.coupling.names import EVENT_DRIVEN, REQUEST_RESPONSE
from demo.coupling.prices import by_service

SIDES = (EVENT_DRIVEN, REQUEST_RESPONSE)


def as_table(report: Mapping[str, Any]) -> RenderableType:
    """Return the whole report."""
    return Group(Text(), _outcomes(report), Text(), _costs(report))


def title_of(scenario: Mapping[str, Any]) -> str:
    """Return the title of a scenario: its service and its fault."""
    if scenario["fault"] == "none":
        return "nothing broken"
    return f"{scenario['service']} {scenario['fault']}"


def dollars_of(side: Mapping[str, Any]) -> float:
    """Return the total dollars for a million orders."""
    return float(sum(side["dollars_per_million_orders"].values()))


def _outcomes(report: Mapping[str, Any]) -> Table:
    title = f"{report['orders']} orders each; times in seconds: p50 / p95"
    table = Table(title=title, title_justify="left")
    table.add_column("what is broken", no_wrap=True, min_width=23)
    for column in ("finished", "lost, paid", "answer", "finish"):
        table.add_column(column, justify="right", no_wrap=True)
    for scenario in report["scenarios"]:
        table.add_row(Text(title_of(scenario), style="bold"))
        for name in SIDES:
            side = scenario["sides"][name]
            table.add_row(
                f"  {name}",
                _of(side["finished"], side["placed"]),
                _bad(side["charged_but_not_finished"]),
                spread(side["answer"]),
                spread(side["finish"]),
                end_section=name == REQUEST_RESPONSE,
            )
    return table


def _costs(report: Mapping[str, Any]) -> Table:
    table = Table("while all is well", title="What they cost", title_justify="left")
    for name in SIDES:
        table.add_column(name, justify="right")
    for what, amounts in costs(report):
        table.add_row(what, *amounts)
    return table


def costs(report: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield rows with the costs without a fault and the numbers of resources, for both sides."""
    sides = [report["scenarios"][0]["sides"][name] for name in SIDES]
    parts = [report["parts"][name] for name in SIDES]
    yield "$ for a million orders", tuple(f"{dollars_of(side):,.2f}" for side in sides)
    bills = [by_service(side["dollars_per_million_orders"]) for side in sides]
    for service in by_service(sides[0]["dollars_per_million_orders"]):
        amounts = [bill.get(service, 0.0) for bill in bills]
        if any(amounts):
            yield f"of it {service}", tuple(f"{amount:,.2f}" for amount in amounts)
    yield (
        "$ a month for polling empty queues",
        tuple(f"{each['dollars_a_month_idle']:,.2f}" for each in parts),
    )
    for part in ("resources", "functions", "queues"):
        yield part, tuple(f"{each[part]:,}" for each in parts)


def _of(number: int, total: int) -> Text:
    return Text(f"{number:,}", style="green" if number == total else "bold red")


def _bad(number: int) -> Text:
    return Text(f"{number:,}", style="bold red" if number else "")


def spread(times: Mapping[str, float | None]) -> str:
    """Format the median and the 95th percentile."""
    return " / ".join("-" if each is None else f"{each:.2f}" for each in times.values())
