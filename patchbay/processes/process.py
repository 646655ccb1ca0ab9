"""Child processes, which can't outlive their parent."""

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


class ChildProcess:
    """A process that calls `end_with_parent`, and the processes that it starts.

    It leads a process group of its own, so that Ctrl-C in the terminal only reaches its parent,
    which then stops it in order.
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
        """Return whether it has ended, by itself or stopped."""
        return self._process.poll() is not None

    def wait(self) -> int:
        """Wait until it ends by itself, and return its exit code."""
        return self._process.wait()

    def stop(self) -> None:
        """End it and all processes that it started, and return when they are gone.

        It is killed: it only has state in memory, which is not needed any more.
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
        except (ProcessLookupError, PermissionError):  # macOS permits no signal to a zombie
            return True
        return _has_only_zombies(self.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _has_only_zombies(group: int) -> bool:
    """Return whether Linux has only zombies left of a process group.

    Process 1 should reap orphans, but in many containers it never does.
    """
    stats = list(Path("/proc").glob("[0-9]*/stat"))
    return bool(stats) and not any(_lives_in(group, stat) for stat in stats)


def _lives_in(group: int, stat: Path) -> bool:
    try:
        state, _, group_of_it = stat.read_text().rsplit(")", 1)[1].split()[:3]
    except OSError:  # it has just ended
        return False
    return int(group_of_it) == group and state not in "ZX"
