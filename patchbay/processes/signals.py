"""Ends a command in order when it is asked to stop."""

import signal


def stop_on_signals() -> None:
    """Have SIGTERM and SIGINT raise KeyboardInterrupt.

    SIGINT as well: a shell that starts a command in the background has it ignore that.
    """
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
