"""Operate a deployment, on AWS or on the local cloud: whichever the environment names."""

import sys
from collections.abc import Sequence

import typer
from botocore.exceptions import BotoCoreError, ClientError

from operations.clients import OperationFailed
from operations.commands import dead_letters
from operations.commands.console import console
from operations.commands.events import events
from operations.commands.journey import journey
from operations.commands.publish import publish
from operations.commands.replay import replay
from operations.commands.tail import tail

INTERRUPTED = 130  # what a shell reports for a command that Ctrl-C ended

app = typer.Typer(
    name="patchbay",
    help=__doc__,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(console)
app.command()(events)
app.command()(journey)
app.command()(publish)
app.command()(replay)
app.command()(tail)
app.add_typer(dead_letters.app, name="dead-letters")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; an expected failure is a line on stderr, and never a traceback."""
    try:
        # Not standalone: then it neither exits by itself nor swallows Ctrl-C.
        app(arguments, prog_name="patchbay", standalone_mode=True)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except OperationFailed as failure:
        print(failure, file=sys.stderr)
    except (BotoCoreError, ClientError) as error:
        print(f"AWS could not be asked: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nInterrupted. What was started on AWS goes on.", file=sys.stderr)
        return INTERRUPTED
    return 1


if __name__ == "__main__":
    sys.exit(main())
