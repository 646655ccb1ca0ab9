"""`python -m demo`: drive real purchases through the shop, and check the outcome."""

from typing import Annotated

import typer

from demo.command import run

Orders = Annotated[int, typer.Option(min=1, help="How many purchases.")]


def demo(orders: Orders = 500) -> int:
    """Drive real purchases through the shop on a local cloud, and check the outcome."""
    # Imported where it is needed, so that --help and a mistyped option answer at once.
    from demo.demo import run as drive

    return drive(orders)


if __name__ == "__main__":
    run(demo, name="python -m demo")
