"""`patchbay replay`."""

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console

from patchbay.cli.options import Stage, moment
from patchbay.operations.clients import Environment


def replay(
    since: Annotated[datetime, typer.Option("--from", parser=moment, metavar="TIME")],
    until: Annotated[datetime, typer.Option("--to", parser=moment, metavar="TIME")],
    to_consumer: Annotated[
        str | None, typer.Option(metavar="NAME", help="One consumer; by default all.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also events that would be handled twice.")
    ] = False,
    stage: Stage = "dev",
) -> None:
    """Replay events from the bus's archive. A time is like 2026-01-31T09:00, in UTC.

    Example: patchbay replay --from AN_HOUR_AGO --to NOW --to-consumer alerts --stage local
    """
    from patchbay.operations import replay as replays

    console = Console(stderr=True)
    with console.status("starting the replay") as status:
        done = replays.replay(
            Environment(),
            stage,
            since=since,
            until=until,
            to=to_consumer,
            again=again,
            on_progress=lambda state: status.update(f"the replay is {state}"),
        )
    to = to_consumer or "all consumers"
    print(f"Replay {done.name} to {to}: {done.state.lower()}. {done.reason or ''}".rstrip())
    if done.state != "COMPLETED":
        raise typer.Exit(1)
    print("Events that were handled before change nothing; the others are in the queue.")
