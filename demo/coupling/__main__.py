"""Requests or events: the same shop wired both ways, and one service broken at a time.

    python -m demo.coupling [--orders 36] [--rate 4]

It writes build/coupling.json, and from that the figure and the numbers of docs/coupling.md.
`--measure` does only the first, and `--tell` only the second, with the last run's.
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from urllib3.exceptions import HTTPError

from demo.arguments import positive
from patchbay.errors import UserError
from patchbay.processes.workspace import BUILD
from patchbay.project.root import ROOT

REPORT = BUILD / "coupling.json"
PAGE = ROOT / "docs" / "coupling.md"
FIGURE = ROOT / "docs" / "images" / "coupling.svg"
INTERRUPTED = 130  # what a shell reports for a command that Ctrl-C ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; an expected failure is a few lines on stderr, and never a traceback."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    options = _parse(arguments)
    console = Console()
    try:
        if not options.tell:
            _measure(options.orders, options.rate, console)
        if not options.measure:
            _tell(console)
    except UserError as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Nothing is left running.", file=sys.stderr)
        return INTERRUPTED
    return 0


def _measure(orders: int, rate: float, console: Console) -> None:
    # Imported where they are needed, so that --help and a mistyped option answer at once.
    from demo.coupling.experiment import Experiment
    from demo.coupling.report import as_table
    from demo.coupling.shops import shops

    started = time.monotonic()
    with shops() as running:
        try:
            console.print("Warming both up …")
            experiment = Experiment(running, orders=orders, rate=rate)
            experiment.prepare()
            with _progress(console, len(experiment.faults)) as tell:
                report = experiment.run(tell)
        except (BotoCoreError, ClientError, HTTPError) as error:
            raise UserError(
                f"The local cloud does not answer as it should: {error}\n"
                f"Its log is {running.cloud.log_path}."
            ) from error
    report["seconds"] = round(time.monotonic() - started)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    console.print(as_table(report))
    console.print(f"\nThe same as JSON is in {REPORT.relative_to(ROOT)}.")


def _tell(console: Console) -> None:
    from demo.coupling.figure import draw
    from demo.coupling.numbers import put_into

    if not REPORT.exists():
        raise UserError("There is nothing to tell of yet: run `make coupling` first.")
    report = json.loads(REPORT.read_text())
    FIGURE.parent.mkdir(exist_ok=True)
    FIGURE.write_text(draw(report))
    PAGE.write_text(put_into(PAGE.read_text(), report))
    console.print(f"{FIGURE.relative_to(ROOT)} and {PAGE.relative_to(ROOT)} tell of it.")


@contextmanager
def _progress(console: Console, scenarios: int) -> Iterator[Any]:
    """Gives what tells how far it is: a bar, or a line for each step where none can be drawn."""
    if not console.is_terminal:
        yield lambda fault, doing: console.print(f"{fault.service} {fault.kind}: {doing} …")
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.description}"), console=console) as progress:
        task = progress.add_task("", total=scenarios)
        told: list[object] = []

        def tell(fault: Any, doing: str) -> None:
            if told and told[-1] is not fault:
                progress.advance(task)
            told.append(fault)
            progress.update(task, description=f"{fault.service} {fault.kind}: {doing}")

        yield tell


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m demo.coupling",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--orders", type=positive, default=36, help="for each fault and side")
    parser.add_argument("--rate", type=positive, default=4, help="orders a second for each side")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--measure", action="store_true", help="leave the docs as they are")
    either.add_argument("--tell", action="store_true", help="of the last run, in the docs")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
