"""The isolation matrix: each consumer is broken in each way, and the others must not notice."""

from rich.console import Console


def run(console: Console | None = None) -> int:
    """Fill the matrix of the project, and print it; return 1 where a cell does not hold."""
    # Loading moto takes a second, which no other command should wait for.
    from patchbay.testkit.isolation.command import isolation

    return isolation(console or Console())
