"""The start and the end of a command, as a process like in a shell."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from patchbay.project.root import ROOT

SECONDS = 60
PATCHBAY = [sys.executable, "-m", "patchbay.cli"]
SLOW = ("boto3", "botocore", "pydantic", "starlette", "jinja2", "contracts")


@pytest.fixture
def silent_cloud() -> Iterator[socket.socket]:
    """A server that accepts connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)
        yield server


def environ(server: socket.socket | None = None) -> dict[str, str]:
    port = server.getsockname()[1] if server else 9
    return os.environ | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_MAX_ATTEMPTS": "1"}


def interruptible() -> None:
    # A process in the background of a shell inherits SIGINT as ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize(
    "arguments",
    [
        ["pause", "alerts"],
        ["status", "--watch"],
        ["journey", "reading-1"],
        ["events"],
        ["dead-letters"],
    ],
    ids=" ".join,
)
def test_ctrl_c_ends_it_with_130_and_no_traceback(
    silent_cloud: socket.socket, arguments: list[str]
) -> None:
    with subprocess.Popen(
        [*PATCHBAY, *arguments],
        cwd=ROOT,
        env=environ(silent_cloud),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,
    ) as process:
        connection, _ = silent_cloud.accept()  # by now, it waits for an answer
        process.send_signal(signal.SIGINT)
        with connection:
            output, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, errors
    assert "Traceback" not in output + errors
    assert errors.endswith("Interrupted.\n")


@pytest.mark.parametrize("command", ["events", "events --json"])
def test_a_reader_that_closes_the_pipe_causes_no_error(command: str, tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    patchbay = f"{sys.executable} -m patchbay.cli {command} 2>{errors} | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {patchbay}"],
        cwd=ROOT,
        env=environ(),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert len(done.stdout.splitlines()) == 1
    assert "Broken" not in errors.read_text()
    assert "Traceback" not in errors.read_text()


def test_help_imports_no_slow_package() -> None:
    script = f"""
import sys
from patchbay.cli.__main__ import main
assert main(["--help"]) == 0
print("loaded:", *(set({SLOW}) & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("loaded:\n")
    assert "130 after Ctrl-C" in " ".join(done.stdout.split())


def test_the_shell_completes_commands() -> None:
    request = {
        "_PATCHBAY_COMPLETE": "complete_bash",
        "COMP_WORDS": "patchbay st",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        PATCHBAY,
        cwd=ROOT,
        env=os.environ | request,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["status"]
