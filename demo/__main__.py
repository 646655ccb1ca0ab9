"""`python -m demo up` and `python -m demo demo`: the system on an embedded cloud."""

import argparse
import signal
import sys
from collections.abc import Sequence

from demo.arguments import positive
from patchbay.errors import UserError

INTERRUPTED = 130  # what a shell reports for a command that Ctrl-C ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; an expected failure is a few lines on stderr, and never a traceback."""
    # SIGINT as well: a shell that starts us in the background would have us ignore it.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    options = _parse(arguments)
    try:
        return _run(options)
    except UserError as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Nothing is left running.", file=sys.stderr)
        return INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    # Imported where they are needed, so that --help and a mistyped option answer at once.
    if options.command == "up":
        from patchbay.local import up

        up.run()
        return 0
    from demo.demo import run

    return run(options.orders)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="leave the system running, with its log in the foreground")
    demo = commands.add_parser("demo", help="drive real purchases through it, and check the end")
    demo.add_argument("--orders", type=positive, default=500, help="how many purchases")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
