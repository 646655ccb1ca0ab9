"""Build, run, deploy and operate an event-driven system on AWS.

The commands that operate a deployment use AWS or the local cloud, as the environment's variables
say. The exit code is 0 if all is well; 1 if something is wrong, or can't be done; 2 for wrong
usage; 130 after Ctrl-C.
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

FAILED = 1
INTERRUPTED = 130  # the exit code that a shell reports after Ctrl-C
INTERRUPTED_MESSAGE = "\nInterrupted."
SECONDS_TO_END = 3.0  # after Ctrl-C, for requests that are in progress
SHOW_CURSOR = "\x1b[?25h"  # a live display hides the cursor

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
    """Run a command and return its exit code; print an expected failure without a traceback."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has closed the pipe. Python flushes the rest at exit: it must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    if code == INTERRUPTED:
        print(INTERRUPTED_MESSAGE, file=sys.stderr)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    try:
        app(arguments, prog_name="patchbay")
    except SystemExit as ended:  # Typer raises it at the end of every command, also after Ctrl-C
        return ended.code if isinstance(ended.code, int) else FAILED
    except BrokenPipeError:
        raise
    except Exception as error:
        from patchbay.operations.escape import escape_lines
        from patchbay.operations.failures import EXPECTED, explain

        if not isinstance(error, EXPECTED):
            raise
        print(escape_lines(explain(error)), file=sys.stderr)
    return FAILED


def _exit_soon_after_ctrl_c() -> None:
    """Exit some seconds after Ctrl-C at the latest, even if threads still wait for AWS."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return  # a shell ignores SIGINT for a process in the background: leave it so

    def interrupted(number: int, frame: FrameType | None) -> None:
        timer = Timer(SECONDS_TO_END, _exit)
        timer.daemon = True
        timer.start()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupted)


def _exit() -> None:
    if sys.stdout.isatty():
        print(SHOW_CURSOR, end="", flush=True)
    print(INTERRUPTED_MESSAGE, file=sys.stderr, flush=True)
    os._exit(INTERRUPTED)


def run() -> None:
    """Run the command in `sys.argv`, and exit."""
    _exit_soon_after_ctrl_c()
    # The project's contracts are imported from its root, also if this runs in a folder below it.
    sys.path.insert(0, str(ROOT))
    sys.exit(main())


if __name__ == "__main__":
    run()
