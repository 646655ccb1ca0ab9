"""Processes that can't outlive the one that starts them."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from patchbay.processes.waiting import wait_until
from patchbay.project.root import ROOT

SECONDS_TO_DIE = 10


class Tethered:
    """A process that has called `end_with_parent`, with all that it starts: they end together.

    It leads a group of its own, so Ctrl-C in the terminal does not reach it: whoever started it
    is asked to stop, and then stops it in order.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environ: Mapping[str, str],
        log: Path,
        cwd: Path = ROOT,
        pass_fds: Sequence[int] = (),
    ) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=cwd,
                env=environ,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=pass_fds,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def has_ended(self) -> bool:
        """Whether it has ended by itself, or was ended."""
        return self._process.poll() is not None

    def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        return self._process.wait()

    def stop(self) -> None:
        """End it and all that it started, and return when they are gone.

        There is nothing to ask it for: whatever it holds is in memory, and is given up.
        """
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        wait_until(self._group_is_gone, f"process group {self.pid} to be gone", SECONDS_TO_DIE)

    def _group_is_gone(self) -> bool:
        try:
            os.killpg(self.pid, 0)
        except (ProcessLookupError, PermissionError):  # macOS permits no signal to the dead
            return True
        return _has_only_dead(self.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _has_only_dead(group: int) -> bool:
    """Whether Linux keeps of a group only what nobody has asked for yet.

    Orphans are asked for by process 1, which in many containers never does.
    """
    books = list(Path("/proc").glob("[0-9]*/stat"))
    return bool(books) and not any(_lives_in(group, stat) for stat in books)


def _lives_in(group: int, stat: Path) -> bool:
    try:
        state, _, group_of_it = stat.read_text().rsplit(")", 1)[1].split()[:3]
    except OSError:  # it has just ended
        return False
    return int(group_of_it) == group and state not in "ZX"
