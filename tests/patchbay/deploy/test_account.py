"""The checks before anything is deployed or destroyed."""

import io
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from patchbay.deploy import account
from patchbay.deploy import cdk as cdk_cli
from patchbay.errors import UserError
from patchbay.project.project import Stage, parse
from patchbay.project.root import ROOT

NO_CREDENTIALS = {
    "PATH": os.environ["PATH"],
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
PROD = {"account": "111111111111", "region": "eu-central-1"}
STAGES = {"prod": PROD, "live": {"kind": "prod"}}


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


class Sts(BaseHTTPRequestHandler):
    """A stand-in for STS, which answers with account 222222222222."""

    def do_POST(self) -> None:
        body = (
            b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            b"<GetCallerIdentityResult><Arn>arn:aws:iam::222222222222:user/a</Arn><UserId>A</UserId>"
            b"<Account>222222222222</Account></GetCallerIdentityResult>"
            b"</GetCallerIdentityResponse>"
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class BecameCdk(Exception):
    """The process would now be the CDK CLI."""


@pytest.fixture
def cdk(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[list[str], dict[str, str]]]]:
    """The command lines and environments with which the CDK CLI would be run."""
    server = HTTPServer(("127.0.0.1", 0), Sts)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    section = {"name": "greenhouse", "stages": STAGES}
    monkeypatch.setattr("patchbay.deploy.account.project", lambda: parse(section, ROOT))
    monkeypatch.setattr(cdk_cli, "command", lambda *arguments: ["cdk", *arguments])
    started: list[tuple[list[str], dict[str, str]]] = []

    def become(path: str, command: list[str], environ: dict[str, str]) -> None:
        started.append((command, environ))
        raise BecameCdk

    monkeypatch.setattr(os, "execve", become)
    yield started
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("command", [account.diff, account.deploy, account.destroy])
def test_the_credentials_of_another_account_are_refused(
    command: object, cdk: list[tuple[list[str], dict[str, str]]]
) -> None:
    assert callable(command)
    with pytest.raises(UserError) as refused:
        command("prod")
    assert str(refused.value).startswith(
        "The stage prod belongs to account 111111111111, your credentials to 222222222222."
    )
    assert cdk == []


def test_the_credentials_of_its_own_account_deploy_it_to_its_region(
    cdk: list[tuple[list[str], dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROD, "account", "222222222222")
    with pytest.raises(BecameCdk):
        account.deploy("prod")
    ((command, environ),) = cdk
    assert command == ["cdk", "deploy", "--all", "--no-notices", "-c", "stage=prod"]
    assert environ["AWS_REGION"] == environ["AWS_DEFAULT_REGION"] == "eu-central-1"


@pytest.mark.parametrize("stage", ["alice", "pr-17"])
def test_any_other_name_is_a_stage_of_kind_dev_of_any_account(
    stage: str, cdk: list[tuple[list[str], dict[str, str]]]
) -> None:
    assert parse({"name": "greenhouse"}, ROOT).stage(stage) == Stage(name=stage, kind="dev")
    for command in (account.deploy, account.destroy):
        with pytest.raises(BecameCdk):
            command(stage)
    assert [command[1] for command, _ in cdk] == ["deploy", "destroy"]


def test_a_stage_of_kind_prod_is_not_destroyed_without_a_terminal(
    cdk: list[tuple[list[str], dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(UserError, match="Pass `--yes-destroy live`"):
        account.destroy("live")
    with pytest.raises(UserError, match="'prod' is not 'live': nothing was destroyed"):
        account.destroy("live", confirmed_as="prod")
    assert cdk == []
    with pytest.raises(BecameCdk):
        account.destroy("live", confirmed_as="live")


@pytest.mark.parametrize(("typed", "expected"), [("live", BecameCdk), ("yes", UserError)])
def test_in_a_terminal_it_asks_for_the_name(
    typed: str,
    expected: type[Exception],
    cdk: list[tuple[list[str], dict[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        os.write(ours, f"{typed}\n".encode())
        with pytest.raises(expected):
            account.destroy("live")
    os.close(ours)
    assert len(cdk) == (expected is BecameCdk)
