"""`patchbay status`."""

import json
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from patchbay.cli.options import Json, Stage
from patchbay.operations.clients import CachedClients, Environment
from patchbay.operations.escape import escape
from patchbay.operations.formatting import count, duration
from patchbay.project.project import project

if TYPE_CHECKING:
    from patchbay.operations.health.health import ConsumerHealth
    from patchbay.operations.health.status import Status

SECONDS_BETWEEN_POLLS = 1.0
SECONDS_ON_AWS = 10.0  # each poll costs money there
STATES = {
    "well": ("well", "green"),
    "failing": ("failing", "bold red"),
    "behind": ("behind", "yellow"),
    "paused": ("paused", "blue"),
    "dead": ("dead letters", "red"),
}
COLUMNS = {
    "consumer": "left",
    "state": "left",
    "waiting": "right",
    "in flight": "right",
    "oldest": "right",
    "dead": "right",
    "handled": "right",
    "failed": "right",
    "p95": "right",
}
MAX_ERROR = 300  # characters


def status(
    stage: Stage = "dev",
    watch: Annotated[bool, typer.Option("--watch", help="Refresh until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Show the health of every consumer, and exit with 1 if anything is wrong.

    Wrong is a consumer that fails or is behind, a dead letter, an alarm, a failed workflow, a
    stream without a reader. A paused consumer is not wrong: somebody has paused it on purpose.

    Example: patchbay status --stage local

    Example: patchbay status --stage local --watch
    """
    from patchbay.operations.health.status import checker

    check = checker(CachedClients(Environment()), stage)
    if watch:
        _watch(check, as_json, SECONDS_BETWEEN_POLLS if stage == "local" else SECONDS_ON_AWS)
    seen = check()
    if as_json:
        print(json.dumps(seen.as_json(), indent=2))
    else:
        Console().print(_render(seen))
    if seen.wrong:
        raise typer.Exit(1)


def _watch(check: "Callable[[], Status]", as_json: bool, seconds: float) -> None:
    """Show the status after every poll; with JSON, one line each time."""
    seen = check()
    if as_json:
        while True:
            print(json.dumps(seen.as_json()), flush=True)
            time.sleep(seconds)
            seen = check()
    from patchbay.operations.failures import EXPECTED, explain

    console = Console()
    # Only a terminal can be redrawn: any other output gets one status below the other.
    with (
        Live(console=console, auto_refresh=False) if console.is_terminal else nullcontext() as live
    ):
        shown = _render(seen)
        while True:
            if live:
                live.update(shown, refresh=True)
            else:
                console.print(shown)
                sys.stdout.flush()
            time.sleep(seconds)
            try:
                seen = check()
                shown = _render(seen)
            except EXPECTED as failure:
                why = escape(explain(failure), MAX_ERROR)
                note = Text(f"No answer since {seen.health.at:%H:%M:%S} UTC. {why}", style="red")
                shown = Group(_render(seen), note)


def _render(seen: "Status") -> Group:
    title = Text.assemble(
        (f"{project().name} {seen.stage}", "bold"),
        (f"  {seen.health.at:%Y-%m-%d %H:%M:%S} UTC", "dim"),
    )
    parts: list[RenderableType] = [title, Text(), _consumers(seen), *_streams(seen), Text()]
    if paused := seen.paused:
        parts.append(Text(f"Paused: {', '.join(map(escape, paused))}.", style="blue"))
    if not seen.wrong:
        parts.append(
            Text("All is well." if not paused else "Otherwise all is well.", style="green")
        )
    parts += [Text(f"✗ {escape(each, MAX_ERROR)}", style="red") for each in seen.wrong]
    return Group(*parts)


def _consumers(seen: "Status") -> Table:
    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="dim")
    for column, side in COLUMNS.items():
        table.add_column(
            column, justify="right" if side == "right" else "left", no_wrap=column != "state"
        )
    for consumer in seen.health.consumers:
        table.add_row(*_row(consumer))
    return table


def _row(consumer: "ConsumerHealth") -> list[Text]:
    word, style = STATES[consumer.state]
    more = "+" if consumer.at_least else ""
    return [
        Text(escape(consumer.name), style="bold"),
        Text(word, style=style),
        Text(count(consumer.waiting)),
        Text(count(consumer.in_flight)),
        Text(duration(consumer.oldest)),
        Text(count(consumer.dead), style="red" if consumer.dead else ""),
        Text(count(consumer.handled) + more),
        Text(count(consumer.failed) + more, style="red" if consumer.failed else ""),
        Text(duration(consumer.p95)),
    ]


def _streams(seen: "Status") -> list[Text]:
    return [
        Text(
            f"{escape(each.name)} reads {escape(each.stream)}"
            + (f", {duration(each.behind)} behind" if each.behind is not None else ""),
            style="dim",
        )
        for each in seen.readers
    ]
