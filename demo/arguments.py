"""What the arguments of commands may be."""

import argparse


def positive(text: str) -> int:
    """A number of at least one; raises ArgumentTypeError."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it is at least one")
    return number
