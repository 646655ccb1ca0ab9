"""`patchbay console`."""

from threading import Event
from typing import Annotated

import typer

from patchbay.cli.options import Stage
from patchbay.errors import UserError
from patchbay.operations.clients import Environment


def console(
    stage: Stage = "dev",
    port: Annotated[int, typer.Option(help="The next free one, if it is taken.")] = 4600,
    open_: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="In the browser; by default where there is one."),
    ] = None,
) -> None:
    """Serve a page on 127.0.0.1 that shows a deployment, live, until Ctrl-C.

    Example: patchbay console --stage local --no-open
    """
    from patchbay.console.deployment import Deployment
    from patchbay.console.serve import may_open_a_browser, serving

    clients = Environment()
    clients.client("sts")  # without credentials, there is nothing to be shown
    try:
        with serving(Deployment(clients, stage), port) as served:
            print(f"The console is at {served.address}\nCtrl-C stops it.", flush=True)
            if may_open_a_browser() if open_ is None else open_:
                served.open()
            Event().wait()
    except UserError as failure:
        raise UserError(str(failure)) from failure
