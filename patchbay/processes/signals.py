"""Signals: end a command in order."""

import signal


def stop_on_signals() -> None:
    """Make SIGTERM and SIGINT raise KeyboardInterrupt.

    SIGINT has to be set too: a shell makes commands in the background ignore it.
    """
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
