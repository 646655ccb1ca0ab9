"""Ties a process to the one that started it, which holds the other end of its standard input.

    python -m patchbay.processes.exit_with_parent COMMAND …

runs a command that knows nothing of this, and ends it in the same way.
"""

import os
import signal
import subprocess
import sys
import threading


def end_with_parent() -> None:
    """End this process, and its whole group, as soon as the parent is gone, whatever ended it."""
    threading.Thread(target=_wait_for_the_end, daemon=True, name="tether").start()


def _wait_for_the_end() -> None:
    # Not through sys.stdin, whose lock would still be held when the interpreter shuts down.
    while os.read(0, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    end_with_parent()
    sys.exit(subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, check=False).returncode)
