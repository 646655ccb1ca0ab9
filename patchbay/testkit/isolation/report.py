"""The report of the matrix: a live table, the reasons below it, and JSON."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from patchbay.testkit.isolation.matrix import Cell

TITLE = "✓ no other consumer is affected, and nothing is lost"

Show = Callable[[Sequence[Cell]], None]


@contextmanager
def display(console: Console, consumers: Sequence[str], troubles: Sequence[str]) -> Iterator[Show]:
    """Yield a function that shows the cells so far, in a live table or in plain lines."""
    if not console.is_terminal:
        yield lambda cells: _print_row(console, cells, len(troubles))
        return
    with Live(console=console, transient=True) as live:
        yield lambda cells: live.update(as_table(cells, consumers, troubles))


def _print_row(console: Console, cells: Sequence[Cell], of_each: int) -> None:
    if len(cells) % of_each == 0:
        row = cells[-of_each:]
        held = sum(cell.holds for cell in row)
        console.print(f"{row[-1].consumer}: {held} of {of_each} hold")


def as_table(
    cells: Sequence[Cell], consumers: Sequence[str], troubles: Sequence[str]
) -> RenderableType:
    """Format the matrix, with a column for each consumer, and the reasons."""
    found = {(cell.consumer, cell.fault): cell for cell in cells}
    table = Table("when a consumer …", title=TITLE, title_justify="left")
    for consumer in consumers:
        table.add_column(consumer, justify="center")
    for trouble in troubles:
        table.add_row(trouble, *(_mark(found.get((each, trouble))) for each in consumers))
    return Group(Text(), table, *_reasons(cells))


def as_json(cells: Sequence[Cell]) -> dict[str, Any]:
    """Return the matrix as JSON."""
    return {"cells": [asdict(cell) for cell in cells]}


def _mark(cell: Cell | None) -> Text:
    if cell is None:
        return Text("·", style="dim")
    if not cell.holds:
        return Text("✗", style="bold red")
    return Text("-", style="green") if cell.why else Text("✓", style="bold green")


def _reasons(cells: Sequence[Cell]) -> Iterator[RenderableType]:
    trivial: dict[str, list[str]] = {}
    for cell in cells:
        if cell.holds and cell.why:
            trivial.setdefault(f"{cell.fault}: {cell.why}", []).append(cell.consumer)
    for why, consumers in trivial.items():
        yield Text(f"-  {', '.join(consumers)}: {why}")
    for cell in cells:
        if not cell.holds:
            yield Text(f"\n✗  {cell.consumer} {cell.fault}", style="bold red")
            yield Padding(Text(cell.why), (0, 0, 0, 3))
