"""The command `patchbay dead-letters`, as an operator sees it."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from patchbay.cli.__main__ import main
from patchbay.cli.operate import dead_letters, redrive
from patchbay.testkit.faults import Undeliverable
from tests.shop import Shop

HOSTILE = [
    "\x1b]0;owned\x07\x1b[2J[bold]<script>alert(1)</script>[/bold][link=file:///etc]x[/link]",
    json.dumps({"detail-type": "\x1b[31mred\u202e", "detail": {"data": {"order_id": "\ud800"}}}),
    '{"a": ' * 900 + "1" + "}" * 900,
    "[" * 100_000,
    json.dumps({"detail-type": ["x"] * 1000, "detail": "[/]"}),
    "<b>" * 300_000,
]


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "220")


class Terminal:
    """A terminal on which commands are run, with their exit code and their errors."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.code = 0
        self.errors = ""

    def run(self, *arguments: str) -> str:
        self._capsys.readouterr()
        self.code = main(["dead-letters", *arguments])
        output, self.errors = self._capsys.readouterr()
        return output

    def read(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))


@pytest.fixture
def terminal(
    cloud: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    # The kit has its clients already: creating them takes longer than a command.
    monkeypatch.setattr(dead_letters, "Environment", lambda: cloud)
    monkeypatch.setattr(redrive, "Environment", lambda: cloud)
    return Terminal(capsys)


def nonsense(cloud: Shop, dead_letters: int) -> None:
    for number in range(dead_letters):
        cloud.send("payments", f"nonsense {number}")
    cloud.settle()


def test_they_are_listed_by_owner_and_reason(cloud: Shop, terminal: Terminal) -> None:
    nonsense(cloud, 3)
    cloud.break_("notifications", with_=Undeliverable())
    cloud.place_order()
    cloud.advance(days=2)
    output = terminal.run()
    assert terminal.code == 0
    assert "payments" in output
    assert "is not a valid event: JSONDecodeError" in output
    assert "notifications not delivered" in output
    assert "SDK_CLIENT_ERROR: can't be reached" in output


def test_those_of_one_consumer_are_listed_alone(cloud: Shop, terminal: Terminal) -> None:
    nonsense(cloud, 3)
    assert "nonsense" not in terminal.run("notifications")
    assert "There are no dead letters." in terminal.run("notifications")
    (queue,) = terminal.read("payments")
    assert (queue["owner"], queue["count"], queue["looked_at"]) == ("payments", 3, 3)
    assert [group["count"] for group in queue["reasons"]] == [3]


def test_with_a_limit_it_prints_how_many_were_seen(cloud: Shop, terminal: Terminal) -> None:
    nonsense(cloud, 12)
    output = terminal.run("payments", "--limit", "5")
    assert "records-dev-payments-dead-letters: 5 of 12 seen." in output


def test_one_is_shown_with_its_error_its_attempts_and_its_log(
    cloud: Shop, terminal: Terminal
) -> None:
    cloud.break_("payments", with_=ConnectionError("the provider is down"))
    order = cloud.place_order()
    cloud.settle()
    output = terminal.run("show", order.event_id[:8])
    assert "ConnectionError: the provider is down" in output
    assert "Traceback (most recent call last):" in output
    assert f"OrderPlaced  {order.event_id}" in output
    assert "attempt 1  failed" in output
    assert "attempt 12  failed" in output
    assert "queue records-dev-payments" in output
    shown = terminal.read("show", order.event_id)
    assert (shown["attempts"], shown["ids"]["order_id"]) == (12, order.order_id)
    assert len(shown["log"]) == 12


@pytest.mark.parametrize(
    ("id", "why"),
    [("00000000", "No dead letter has the id '00000000': 3 were"), ("0", "is too short")],
)
def test_an_id_that_matches_none_is_an_error(
    cloud: Shop, terminal: Terminal, id: str, why: str
) -> None:
    nonsense(cloud, 3)
    terminal.run("show", id)
    assert terminal.code == 1
    assert why in terminal.errors


@pytest.mark.parametrize("body", HOSTILE)
def test_a_dead_letter_with_a_hostile_body_does_nothing_to_the_terminal(
    cloud: Shop, terminal: Terminal, body: str
) -> None:
    cloud.send("payments", body)
    cloud.settle()
    (dead_letter,) = terminal.read("payments")[0]["reasons"][0]["dead_letters"]
    for arguments in ((), ("show", dead_letter["id"]), ("redrive",)):
        output = terminal.run(*arguments)
        assert terminal.code == 0
        assert output.replace("\n", "").isprintable()
        assert len(output) < 40_000
        assert "Traceback" not in terminal.errors


@pytest.mark.parametrize("body", HOSTILE)
def test_a_dead_letter_with_a_hostile_body_is_printed_as_json(
    cloud: Shop, terminal: Terminal, body: str
) -> None:
    cloud.send("payments", body)
    cloud.settle()
    (dead_letter,) = terminal.read("payments")[0]["reasons"][0]["dead_letters"]
    assert terminal.read("show", dead_letter["id"])["body"] == body


def test_they_are_redriven_and_counted_before_and_after(cloud: Shop, terminal: Terminal) -> None:
    nonsense(cloud, 3)
    dry_run = terminal.run("redrive", "payments", "--dry-run")
    assert "3 of 3 would be redriven to queue records-dev-payments" in dry_run
    output = terminal.run("redrive", "payments")
    assert "3 of 3 redriven to queue records-dev-payments; 0 in the queue now" in output
    assert terminal.code == 0
    assert "There are no dead letters." in terminal.run("redrive", "payments")


def test_the_command_fails_for_a_queue_that_can_not_be_redriven(
    cloud: Shop, terminal: Terminal
) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="records-dev-left-behind-dead-letters")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    output = terminal.run("redrive")
    assert terminal.code == 1
    assert "1 dead letter can't be redriven: no deployed resource uses it" in output


def test_discarding_needs_a_selection(cloud: Shop, terminal: Terminal) -> None:
    terminal.run("discard", "--yes")
    assert terminal.code == 2
    assert "say which: CONSUMER, --id, --reason, or --all" in terminal.errors


def test_nothing_is_discarded_without_a_terminal_and_without_yes(
    cloud: Shop, terminal: Terminal
) -> None:
    nonsense(cloud, 3)
    terminal.run("discard", "payments")
    assert terminal.code == 1
    assert "That would write 3 dead letters to " in terminal.errors
    assert len(cloud.dead_letters("payments")) == 3


@pytest.mark.parametrize(
    ("first", "second", "left"), [(False, "", 3), (True, "4", 3), (True, "3", 0)]
)
def test_discarding_asks_twice_for_confirmation(
    cloud: Shop,
    terminal: Terminal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    first: bool,
    second: str,
    left: int,
) -> None:
    nonsense(cloud, 3)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(typer, "confirm", lambda question: first)
    monkeypatch.setattr(typer, "prompt", lambda question: second)
    terminal.run("discard", "payments", "--to", str(tmp_path / "gone.jsonl"))
    assert len(cloud.dead_letters("payments")) == left
    assert terminal.code == (1 if left else 0)


def test_discarded_dead_letters_are_in_the_file(
    cloud: Shop, terminal: Terminal, tmp_path: Path
) -> None:
    nonsense(cloud, 12)
    cloud.send("payments", json.dumps({"detail-type": "Unheard"}))
    cloud.settle()
    file = tmp_path / "gone.jsonl"
    command = ("discard", "payments", "--reason", "JSONDecodeError", "--to", str(file))
    assert "12 of 13 would be discarded" in terminal.run(*command, "--dry-run")
    assert not file.exists()
    output = terminal.run(*command, "--yes")
    assert "12 of 13 discarded; 1 not selected; 1 in the queue now" in output
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert {line["body"] for line in lines} == {f"nonsense {number}" for number in range(12)}
    assert all(line["reason"].startswith("is not a valid event") for line in lines)
    assert len(cloud.dead_letters("payments")) == 1


def test_an_existing_file_is_not_overwritten(
    cloud: Shop, terminal: Terminal, tmp_path: Path
) -> None:
    nonsense(cloud, 3)
    (tmp_path / "mine").write_text("precious")
    terminal.run("discard", "payments", "--yes", "--to", str(tmp_path / "mine"))
    assert terminal.code == 1
    assert "exists already" in terminal.errors
    assert (tmp_path / "mine").read_text() == "precious"
    assert len(cloud.dead_letters("payments")) == 3


def test_a_dead_letter_that_can_not_be_written_is_not_deleted(
    cloud: Shop, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    nonsense(cloud, 3)
    file = tmp_path / "gone.jsonl"
    file.touch()
    file.unlink()
    monkeypatch.setattr("patchbay.operations.dead_letters.discard._to_disk", lambda folder: None)
    monkeypatch.setattr("os.fsync", full)
    terminal.run("discard", "payments", "--yes", "--to", str(file))
    assert terminal.code == 1
    assert "No space left on device" in terminal.errors
    assert len(cloud.dead_letters("payments")) == 3


@pytest.mark.parametrize("command", ["redrive", "discard"])
def test_on_prod_it_prints_what_it_would_do_and_needs_yes(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(
        "patchbay.operations.dead_letters.redrive.count_selected", lambda *arguments: 12
    )
    terminal.run(command, "payments", "--stage", "prod")
    assert terminal.code == 1
    assert "12 dead letters" in terminal.errors
    assert "add --yes" in terminal.errors
