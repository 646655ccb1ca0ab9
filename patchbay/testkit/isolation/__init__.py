"""The isolation matrix: each consumer gets each fault, and no other consumer may be affected."""

from rich.console import Console


def run(console: Console | None = None) -> int:
    """Fill the matrix of the project, and print it. Return 1 if a cell does not hold."""
    # Imported here because moto takes a second to load.
    from patchbay.testkit.isolation.command import isolation

    return isolation(console or Console())
