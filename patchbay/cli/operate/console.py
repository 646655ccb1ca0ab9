"""`patchbay console`."""

from threading import Event
from typing import Annotated

import typer

from patchbay.cli.options import Stage
from patchbay.operations.clients import Environment


def console(
    stage: Stage = "dev",
    port: Annotated[int, typer.Option(help="If it is in use, the next free port.")] = 4600,
    open_: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="Open a browser; by default if there is one."),
    ] = None,
) -> None:
    """Serve the web console of a deployment on 127.0.0.1, until Ctrl-C.

    Example: patchbay console --stage local --no-open
    """
    from patchbay.console.deployment import Deployment
    from patchbay.console.serve import may_open_a_browser, serving

    clients = Environment()
    clients.client("sts")  # raises UserError at once if there are no credentials
    with serving(Deployment(clients, stage), port) as served:
        print(f"The console is at {served.address}\nCtrl-C stops it.", flush=True)
        if may_open_a_browser() if open_ is None else open_:
            served.open()
        Event().wait()
