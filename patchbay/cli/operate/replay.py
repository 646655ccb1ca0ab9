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
        str | None, typer.Option(metavar="NAME", help="It alone; without, everyone.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Even what is past remembering.")] = False,
    stage: Stage = "dev",
) -> None:
    """Play a part of the bus's archive again. Times are like 2026-01-31T09:00, in UTC.

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
            on_progress=lambda how: status.update(f"the replay is {how}"),
        )
    whom = to_consumer or "everyone"
    print(f"Replay {done.name} to {whom}: {done.state.lower()}. {done.reason or ''}".rstrip())
    if done.state != "COMPLETED":
        raise typer.Exit(1)
    print("What was handled before changes nothing; the rest is on its way through the queue.")
