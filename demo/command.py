"""A runner for a program with one command, with Typer."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from patchbay.errors import UserError
from patchbay.processes.signals import stop_on_signals

INTERRUPTED = 130  # what a shell reports for a command that Ctrl-C ended


def run(command: Callable[..., int], *, name: str) -> None:
    """Parse the program's arguments, run the command, and exit with the code that it returns.

    An expected failure is a few lines on stderr, and never a traceback.
    """
    stop_on_signals()

    @wraps(command)
    def exiting(**options: Any) -> None:
        raise typer.Exit(_code_of(command, options))

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(exiting)
    app(prog_name=name)


def _code_of(command: Callable[..., int], options: dict[str, Any]) -> int:
    try:
        return command(**options)
    except UserError as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Nothing is left running.", file=sys.stderr)
        return INTERRUPTED
