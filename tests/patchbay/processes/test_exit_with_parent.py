"""A child process ends with its parent, for whatever reason the parent ended."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from patchbay.processes.process import ChildProcess
from patchbay.processes.waiting import wait_until
from patchbay.project.root import ROOT
from tests.patchbay.processes.processes import living

# A command that ignores every polite request, and has a child that does so too.
STUBBORN = """
import signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if len(sys.argv) > 1:
    subprocess.Popen([sys.executable, "-c", sys.argv[1]])
    print("started", flush=True)
time.sleep(3600)
"""

PARENT = """
import os, signal, sys, time
from pathlib import Path
from patchbay.processes.process import ChildProcess
# A shell's background jobs, and all that they start, ignore the one; what nohup starts, the other.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
child = ChildProcess(sys.argv[2:], environ=os.environ, log=Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(3600)
"""

SECONDS = 10
PR_SET_CHILD_SUBREAPER = 36  # from Linux's sys/prctl.h


def ending_with_parent(command: list[str]) -> list[str]:
    return [sys.executable, "-m", "patchbay.processes.exit_with_parent", *command]


STUBBORN_FAMILY = ending_with_parent([sys.executable, "-c", STUBBORN, STUBBORN])


@contextmanager
def adopting_orphans() -> Iterator[None]:
    """Make this process the parent of its descendants' orphans, which it does not ask for."""
    libc = ctypes.CDLL(None)
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 1) == 0
    yield
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 0) == 0


def wait_for_start(log: Path) -> None:
    wait_until(
        lambda: log.exists() and "started" in log.read_text(), "the family to start", SECONDS
    )


@pytest.fixture
def parent(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log"), *STUBBORN_FAMILY]
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": "."}, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_all_child_processes_end_with_the_parent_for_any_reason(
    parent: "subprocess.Popen[str]", tmp_path: Path, number: signal.Signals
) -> None:
    assert parent.stdout
    group = int(parent.stdout.readline())
    wait_for_start(tmp_path / "log")
    parent.send_signal(number)
    try:
        wait_until(lambda: living(group) == [], f"the family to end after {number.name}", SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def test_stop_returns_when_the_whole_process_group_is_gone(tmp_path: Path) -> None:
    with ChildProcess(STUBBORN_FAMILY, environ=os.environ, log=tmp_path / "log") as family:
        wait_for_start(tmp_path / "log")
        assert not family.has_ended()
    assert family.has_ended()
    assert living(family.pid) == []


def test_stop_can_be_repeated(tmp_path: Path) -> None:
    with ChildProcess(STUBBORN_FAMILY, environ=os.environ, log=tmp_path / "log") as family:
        family.stop()
        family.stop()


def test_a_commands_exit_code_is_passed_on(tmp_path: Path) -> None:
    command = ending_with_parent([sys.executable, "-c", "raise SystemExit(7)"])
    with ChildProcess(command, environ=os.environ, log=tmp_path / "log") as process:
        assert process.wait() == 7


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's own")
def test_zombies_do_not_delay_stop(tmp_path: Path) -> None:
    """Stop in a container whose process 1 does not reap orphans: this process stands in for it."""
    with ChildProcess(STUBBORN_FAMILY, environ=os.environ, log=tmp_path / "log") as family:
        wait_for_start(tmp_path / "log")
        with adopting_orphans():
            family.stop()
            os.killpg(family.pid, 0)  # raises no ProcessLookupError: the dead are in the books
            with suppress(ChildProcessError):
                while True:
                    os.waitpid(-family.pid, 0)
