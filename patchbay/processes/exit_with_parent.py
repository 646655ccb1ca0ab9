"""Ends a process when its parent ends, which holds the other end of its standard input.

    python -m patchbay.processes.exit_with_parent COMMAND …

runs another command, and ends it in the same way.
"""

import os
import signal
import subprocess
import sys
import threading


def end_with_parent() -> None:
    """End this process and its whole group as soon as the parent has ended, for any reason."""
    threading.Thread(target=_wait_for_parent, daemon=True, name="exit-with-parent").start()


def _wait_for_parent() -> None:
    # Not through sys.stdin, whose lock would still be held when the interpreter shuts down.
    while os.read(0, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    end_with_parent()
    sys.exit(subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, check=False).returncode)
