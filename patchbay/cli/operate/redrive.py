"""`patchbay dead-letters redrive` and `discard`."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from patchbay.cli.options import DryRun, Json, Stage, Yes
from patchbay.errors import UserError
from patchbay.operations.clients import Environment
from patchbay.operations.dead_letters.report import counted, render

if TYPE_CHECKING:
    from patchbay.operations.dead_letters.drain import DrainResult

Owner = Annotated[str | None, typer.Argument(help="A consumer or a function; by default all.")]
Ids = Annotated[
    list[str] | None,
    typer.Option("--id", help="A dead letter's id, or its event's; may be repeated."),
]
Reason = Annotated[str | None, typer.Option(help="Only with a reason that contains this.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most this many.")]


def redrive(
    consumer: Owner = None,
    id: Ids = None,
    reason: Reason = None,
    limit: Limit = None,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="At most this many a second.")
    ] = None,
    stage: Stage = "dev",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Redrive dead letters to where they failed.

    If this is interrupted, none is lost: one may then be in both places, and is still handled only
    once. A message that fails again becomes a dead letter again.

    Example: patchbay dead-letters redrive alerts --rate 20 --stage local --dry-run
    """
    from patchbay.operations.dead_letters.redrive import count_selected
    from patchbay.operations.dead_letters.redrive import redrive as redrive_selected
    from patchbay.operations.dead_letters.selection import Selection

    clients = Environment()
    selection = Selection(consumer, tuple(id or ()), reason)
    if stage == "prod" and not (yes or dry_run):
        count = count_selected(clients, stage, selection, limit)
        raise UserError(
            f"That would redrive {counted(count)}, and their consumers handle them again. "
            "To do it, add --yes."
        )
    with _reporting("redriven", dry_run=dry_run, as_json=as_json) as report:
        redrive_selected(
            clients, stage, selection,
            limit=limit, rate=rate, dry_run=dry_run, on_progress=report.on_progress,
        )  # fmt: skip
    report.exit()


def discard(
    consumer: Owner = None,
    id: Ids = None,
    reason: Reason = None,
    everything: Annotated[bool, typer.Option("--all", help="All dead letters.")] = False,
    limit: Limit = None,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A new file for them, in JSON, one a line."),
    ] = None,
    stage: Stage = "dev",
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: Json = False,
) -> None:
    """Write dead letters to a file, and delete them.

    It asks twice for confirmation; without a terminal, and on prod, it needs --yes.

    Example: patchbay dead-letters discard alerts --reason refused --dry-run --stage local
    """
    from patchbay.operations.dead_letters.discard import discard as discard_selected
    from patchbay.operations.dead_letters.redrive import count_selected
    from patchbay.operations.dead_letters.selection import Selection

    if not (consumer or id or reason or everything):
        raise typer.BadParameter("say which: CONSUMER, --id, --reason, or --all")
    clients = Environment()
    selection = Selection(consumer, tuple(id or ()), reason)
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    file = to or Path(f"dead-letters-{stage}-{moment}.jsonl")
    if not (yes or dry_run):
        _ask(count_selected(clients, stage, selection, limit), stage, file)
    with _reporting("discarded", dry_run=dry_run, as_json=as_json) as report:
        discard_selected(
            clients,
            stage,
            selection,
            file,
            limit=limit,
            dry_run=dry_run,
            on_progress=report.on_progress,
        )
    if file.exists() and not as_json:
        print(f"They are in {file}.")
    report.exit()


def _ask(count: int, stage: str, file: Path) -> None:
    """Ask for confirmation; raises UserError unless it is given."""
    what = f"write {counted(count)} to {file}, and delete them"
    if stage == "prod" or not sys.stdin.isatty():
        raise UserError(f"That would {what}. To do it, add --yes.")
    print(f"This will {what}.")
    if not typer.confirm("Continue?"):
        raise UserError("Nothing was discarded.")
    if typer.prompt(f"Type {count} to delete them") != str(count):
        raise UserError("Nothing was discarded.")


@dataclass
class _Report:
    """The progress and the results of a drain, queue by queue."""

    verb: str
    dry_run: bool
    progress: Progress
    results: dict[str, "DrainResult"] = field(default_factory=dict)
    tasks: dict[str, Any] = field(default_factory=dict)

    def on_progress(self, result: "DrainResult") -> None:
        queue = result.queue
        if queue.name not in self.tasks:
            self.tasks[queue.name] = self.progress.add_task(queue.name, total=queue.count)
        self.results[queue.name] = result
        seen = result.done + result.skipped + len(result.failed)
        self.progress.update(self.tasks[queue.name], completed=min(seen, queue.count))

    def exit(self) -> None:
        """Raise Exit if a selected dead letter is still in its queue."""
        if any(each.failed or each.blocked for each in self.results.values()):
            raise typer.Exit(1)

    def print(self, as_json: bool) -> None:
        if as_json:
            data = [_as_json(each, dry_run=self.dry_run) for each in self.results.values()]
            print(json.dumps(data, indent=2))
            return
        if not self.results:
            print("There are no dead letters.")
        for result in self.results.values():
            for line in render(result, self.verb, self.dry_run):
                Console().print(line)


@contextmanager
def _reporting(verb: str, *, dry_run: bool, as_json: bool) -> Iterator[_Report]:
    """Show the progress and, also after an error, print the results."""
    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn()
    console = Console(stderr=True)
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    report = _Report(verb, dry_run, progress)
    try:
        with progress:
            yield report
    finally:
        report.print(as_json)


def _as_json(result: "DrainResult", *, dry_run: bool) -> dict[str, Any]:
    return {
        "queue": result.queue.name,
        "owner": result.queue.owner,
        "redrive_target": str(result.queue.redrive_target),
        "dry_run": dry_run,
        "before": result.queue.count,
        "done": result.done,
        "skipped": result.skipped,
        "returned": result.returned,
        "undeleted": result.undeleted,
        "failed": result.failed,
        "blocked": result.blocked,
        "after": result.after.count if result.after else None,
    }
