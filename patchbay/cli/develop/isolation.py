"""`patchbay isolation`."""

import typer


def isolation() -> None:
    """Break each consumer in each way, and check that the others do not notice.

    Ends with 1 where one does. The result as JSON is in build/isolation.json.

    Example: patchbay isolation
    """
    from patchbay.testkit.isolation import run

    raise typer.Exit(run())
