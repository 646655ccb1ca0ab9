"""`patchbay tail`."""

import os
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from patchbay.cli.options import Json, Stage
from patchbay.operations.clients import Environment

INTERRUPTED = 130  # the exit code that a shell reports after Ctrl-C


def tail(
    event: Annotated[
        list[str] | None, typer.Option(metavar="TYPE", help="Only this type; may be repeated.")
    ] = None,
    id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only with this correlation id, or this id in the data."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", help="By default until Ctrl-C.")
    ] = None,
    stage: Stage = "dev",
    as_json: Json = False,
) -> None:
    """Show the events on the bus, live.

    They are read from the stream of the journal's table: no consumer is affected.

    Example: patchbay tail --event ReadingTaken --for 2 --stage local
    """
    from patchbay.operations.journeys import tail as tails

    stream = tails.Tail(Environment(), stage)
    shown, notes = Console(highlight=False), Console(stderr=True)
    notes.print(Text(f"Watching the stage {stage}. Ctrl-C ends it.", style="dim"))
    try:
        for each in tails.follow(stream, tails.Filter(event or (), id), seconds):
            if as_json:
                print(tails.as_json(each), flush=True)
                continue
            line = tails.render(each)
            if shown.is_terminal:
                line.truncate(shown.width, overflow="ellipsis")
            shown.print(line, soft_wrap=True)
    except BrokenPipeError:
        # The reader has closed the pipe, like `| head`: the flush at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
