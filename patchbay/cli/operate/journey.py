"""`patchbay journey`."""

import json
from typing import Annotated

import typer
from rich.console import Console

from patchbay.cli.options import Json, Stage
from patchbay.operations.clients import Environment


def journey(
    id: Annotated[str, typer.Argument(help="A correlation id, or an event's id.")],
    stage: Stage = "dev",
    as_json: Json = False,
) -> None:
    """Show a journey: its events, the events that each caused, and the results at the consumers.

    Example: patchbay journey ID --stage local
    """
    from patchbay.operations.journeys import journey as journeys

    steps = journeys.journey(Environment(), stage, id)
    if as_json:
        print(json.dumps(journeys.as_json(steps), indent=2))
    else:
        Console().print(journeys.render(steps))
