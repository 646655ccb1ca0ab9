"""`patchbay isolation`."""

import typer


def isolation() -> None:
    """Break each consumer in each way, and check that the others are not affected.

    The exit code is 1 if one is. The result is written to build/isolation.json.

    Example: patchbay isolation
    """
    from patchbay.testkit.isolation import run

    raise typer.Exit(run())
