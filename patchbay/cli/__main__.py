"""Build, run, deploy and operate an event-driven system on AWS.

What operates a deployment asks AWS or the local cloud: whichever the environment names. A command
ends with 0 where all is well; 1 where something is wrong, or can't be done; 2 where it is used
wrongly; 130 where Ctrl-C ends it.
"""

import os
import signal
import sys
from collections.abc import Sequence
from threading import Timer
from types import FrameType

import typer

from patchbay.cli.develop import add
from patchbay.cli.develop.contracts import asyncapi, schemas
from patchbay.cli.develop.deploy import deploy, destroy, diff, synth
from patchbay.cli.develop.isolation import isolation
from patchbay.cli.develop.local import local
from patchbay.cli.develop.new import new
from patchbay.cli.develop.upgrade import upgrade
from patchbay.cli.operate import dead_letters
from patchbay.cli.operate.console import console
from patchbay.cli.operate.events import events
from patchbay.cli.operate.journey import journey
from patchbay.cli.operate.pause import pause, resume
from patchbay.cli.operate.publish import publish
from patchbay.cli.operate.replay import replay
from patchbay.cli.operate.routes import routes
from patchbay.cli.operate.status import status
from patchbay.cli.operate.tail import tail
from patchbay.project.root import ROOT

WRONG = 1
INTERRUPTED = 130  # what a shell reports for a command that Ctrl-C ended
SAID_GOODBYE = "\nInterrupted."
SECONDS_TO_END = 3.0  # after Ctrl-C, for requests that are under way
SHOW_CURSOR = "\x1b[?25h"  # what draws live hides it

app = typer.Typer(
    name="patchbay",
    help=__doc__,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(new)
app.add_typer(add.app, name="add")
app.command()(local)
app.command()(isolation)
app.command()(schemas)
app.command()(asyncapi)
app.command()(synth)
app.command()(diff)
app.command()(deploy)
app.command()(destroy)
app.command()(upgrade)
app.command()(status)
app.command()(routes)
app.command()(events)
app.command()(journey)
app.command()(tail)
app.add_typer(dead_letters.app, name="dead-letters")
app.command()(pause)
app.command()(resume)
app.command()(replay)
app.command()(publish)
app.command()(console)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; an expected failure is a line on stderr, and never a traceback."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read it has seen enough. What is left must not be written at the end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WRONG
    if code == INTERRUPTED:
        print(SAID_GOODBYE, file=sys.stderr)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    try:
        app(arguments, prog_name="patchbay")
    except SystemExit as ended:  # Typer's own way, for Ctrl-C as well
        return ended.code if isinstance(ended.code, int) else WRONG
    except BrokenPipeError:
        raise
    except Exception as error:
        from patchbay.operations.escape import escape_lines
        from patchbay.operations.failures import EXPECTED, explain

        if not isinstance(error, EXPECTED):
            raise
        print(escape_lines(explain(error)), file=sys.stderr)
    return WRONG


def _end_in_time() -> None:
    """Have Ctrl-C end the process soon, even where AWS does not answer and threads wait for it."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return  # whoever started it in the background wants it left alone

    def interrupted(number: int, frame: FrameType | None) -> None:
        timer = Timer(SECONDS_TO_END, _end)
        timer.daemon = True
        timer.start()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupted)


def _end() -> None:
    if sys.stdout.isatty():
        print(SHOW_CURSOR, end="", flush=True)
    print(SAID_GOODBYE, file=sys.stderr, flush=True)
    os._exit(INTERRUPTED)


def run() -> None:
    """Run the command that the process was started with, and end the process."""
    _end_in_time()
    # The project's contracts are imported from its folder, in whatever folder of it this is.
    sys.path.insert(0, str(ROOT))
    sys.exit(main())


if __name__ == "__main__":
    run()
