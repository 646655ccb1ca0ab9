"""`patchbay journey`."""

import json
from typing import Annotated

import typer
from rich.console import Console

from patchbay.cli.options import Json, Stage
from patchbay.operations.clients import Environment


def journey(
    id: Annotated[str, typer.Argument(help="An order's id, an event's id, or its correlation_id.")],
    stage: Stage = "dev",
    as_json: Json = False,
) -> None:
    """Draw what became of an order: what caused what, and who did what with it.

    Example: patchbay journey ORDER_ID --stage local
    """
    from patchbay.operations.journeys import journey as journeys

    steps = journeys.journey(Environment(), stage, id)
    if as_json:
        print(json.dumps(journeys.as_json(steps), indent=2))
    else:
        Console().print(journeys.render(steps))
