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

    pass

Owner = Annotated[str | None, typer.Argument(help="Or a function; without, all.")]
Ids = Annotated[
    list[str] | None,
    typer.Option("--id", help="Of a dead letter, or of its event; may be repeated."),
]
Reason = Annotated[str | None, typer.Option(help="Those whose reason contains this.")]
Limit = Annotated[int | None, typer.Option(min=1, help="No more than so many.")]


def redrive(
    consumer: Owner = None,
    id: Ids = None,
    reason: Reason = None,
    limit: Limit = None,
    rate: Annotated[float | None, typer.Option(min=0.01, help="No more in a second.")] = None,
    stage: Stage = "dev",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Redrive dead letters to where they failed.

    None is lost if this is ended half way; one may then be in both places, and is handled once all
    the same. What fails again comes back.

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
            f"That would redrive {counted(count)}, and their consumers act on them again. "
            "If that is meant, add --yes."
        )
    with _telling("redriven", dry_run=dry_run, as_json=as_json) as told:
        redrive_selected(
            clients, stage, selection,
            limit=limit, rate=rate, dry_run=dry_run, on_progress=told.on_progress,
        )  # fmt: skip
    told.exit()


def discard(
    consumer: Owner = None,
    id: Ids = None,
    reason: Reason = None,
    everything: Annotated[bool, typer.Option("--all", help="Everyone's, for any reason.")] = False,
    limit: Limit = None,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A new file; what it holds can be read back."),
    ] = None,
    stage: Stage = "dev",
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it, without a question.")] = False,
    as_json: Json = False,
) -> None:
    """Delete dead letters, after each is written to a file.

    It asks twice; where nobody can be asked, and on prod, it takes --yes.

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
    with _telling("discarded", dry_run=dry_run, as_json=as_json) as told:
        discard_selected(
            clients,
            stage,
            selection,
            file,
            limit=limit,
            dry_run=dry_run,
            on_progress=told.on_progress,
        )
    if file.exists() and not as_json:
        print(f"What they held is in {file}.")
    told.exit()


def _ask(count: int, stage: str, file: Path) -> None:
    """Ask for confirmation; raises UserError unless it is given."""
    what = f"delete {counted(count)}, once they are written to {file}"
    if stage == "prod" or not sys.stdin.isatty():
        raise UserError(f"That would {what}. If that is meant, add --yes.")
    print(f"This will {what}.")
    if not typer.confirm("Is that meant?"):
        raise UserError("Nothing was discarded.")
    if typer.prompt(f"Type {count} to have them deleted") != str(count):
        raise UserError("Nothing was discarded.")


@dataclass
class _Told:
    """What became of each queue's dead letters, as far as it was told."""

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
        """Raise Exit where a dead letter stays that was selected."""
        if any(each.failed or each.blocked for each in self.results.values()):
            raise typer.Exit(1)

    def print(self, as_json: bool) -> None:
        if as_json:
            told = [_as_json(each, dry_run=self.dry_run) for each in self.results.values()]
            print(json.dumps(told, indent=2))
            return
        if not self.results:
            print("There are no dead letters.")
        for result in self.results.values():
            for line in render(result, self.verb, self.dry_run):
                Console().print(line)


@contextmanager
def _telling(verb: str, *, dry_run: bool, as_json: bool) -> Iterator[_Told]:
    """Show the progress and, however it ends, a report of what was done."""
    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn()
    console = Console(stderr=True)
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    told = _Told(verb, dry_run, progress)
    try:
        with progress:
            yield told
    finally:
        told.print(as_json)


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
