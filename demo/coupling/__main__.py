"""Requests or events: the same shop in both designs, with a fault in one service at a time.

    python -m demo.coupling [--orders 36] [--rate 4]

It writes build/coupling.json, and the figure and the numbers of docs/coupling.md.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from urllib3.exceptions import HTTPError

from demo.command import run
from patchbay.errors import UserError
from patchbay.processes.workspace import BUILD
from patchbay.project.root import ROOT

REPORT = BUILD / "coupling.json"
PAGE = ROOT / "docs" / "coupling.md"
FIGURE = ROOT / "docs" / "images" / "coupling.svg"

Orders = Annotated[int, typer.Option(min=1, help="Orders for each fault and side.")]
Rate = Annotated[int, typer.Option(min=1, help="Orders a second for each side.")]
OnlyMeasure = Annotated[bool, typer.Option("--measure", help="Leave the docs as they are.")]
OnlyReport = Annotated[bool, typer.Option("--report", help="Write the last run into the docs.")]


def coupling(
    orders: Orders = 36, rate: Rate = 4, measure: OnlyMeasure = False, report: OnlyReport = False
) -> int:
    """Compare the shop with one that is coupled by requests, with one service broken at a time."""
    if measure and report:
        raise typer.BadParameter("either --measure or --report, not both")
    console = Console()
    if not report:
        _measure(orders, rate, console)
    if not measure:
        _write_docs(console)
    return 0


def _measure(orders: int, rate: float, console: Console) -> None:
    # Imported where they are needed, so that --help and a mistyped option answer at once.
    from demo.coupling.experiment import Experiment
    from demo.coupling.report import as_table
    from demo.coupling.shops import shops

    started = time.monotonic()
    with shops() as running:
        try:
            console.print("Warming up both shops …")
            experiment = Experiment(running, orders=orders, rate=rate)
            experiment.prepare()
            with _progress(console, len(experiment.faults)) as on_progress:
                report = experiment.run(on_progress)
        except (BotoCoreError, ClientError, HTTPError) as error:
            raise UserError(
                f"A request to the local cloud failed: {error}\n"
                f"Its log is {running.cloud.log_path}."
            ) from error
    report["seconds"] = round(time.monotonic() - started)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    console.print(as_table(report))
    console.print(f"\nThe same as JSON is in {REPORT.relative_to(ROOT)}.")


def _write_docs(console: Console) -> None:
    from demo.coupling.figure import draw
    from demo.coupling.numbers import put_into

    if not REPORT.exists():
        raise UserError(f"There is no measurement in {REPORT}: run `make coupling` first.")
    report = json.loads(REPORT.read_text())
    FIGURE.parent.mkdir(exist_ok=True)
    FIGURE.write_text(draw(report))
    PAGE.write_text(put_into(PAGE.read_text(), report))
    console.print(f"{FIGURE.relative_to(ROOT)} and {PAGE.relative_to(ROOT)} are updated.")


@contextmanager
def _progress(console: Console, scenarios: int) -> Iterator[Any]:
    """Yield a function that shows the progress: as a bar, or as lines without a terminal."""
    if not console.is_terminal:
        yield lambda fault, step: console.print(f"{fault.service} {fault.kind}: {step} …")
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.description}"), console=console) as progress:
        task = progress.add_task("", total=scenarios)
        shown: list[object] = []

        def show(fault: Any, step: str) -> None:
            if shown and shown[-1] is not fault:
                progress.advance(task)
            shown.append(fault)
            progress.update(task, description=f"{fault.service} {fault.kind}: {step}")

        yield show


if __name__ == "__main__":
    run(coupling, name="python -m demo.coupling")
