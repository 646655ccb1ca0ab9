import os
import subprocess
import sys
from pathlib import Path

import pytest

from patchbay.project.root import ROOT

NO_CREDENTIALS = {
    "PATH": os.environ["PATH"],
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def run(command: str, environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "patchbay.cli", command],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", ["diff", "deploy", "destroy"])
def test_without_credentials_it_says_so_in_one_line(command: str, tmp_path: Path) -> None:
    result = run(command, NO_CREDENTIALS | {"HOME": str(tmp_path)})
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("No AWS credentials: ")
    assert result.stderr.count("\n") == 1


def test_a_profile_that_does_not_exist_is_named_in_one_line(tmp_path: Path) -> None:
    result = run("deploy", NO_CREDENTIALS | {"HOME": str(tmp_path), "AWS_PROFILE": "nobody"})
    assert result.returncode == 1
    assert "nobody" in result.stderr
    assert result.stderr.count("\n") == 1
