"""The examples in the commands' help: each command has one, and each can be run.

Words in capitals, such as ORDER_ID, are placeholders.
"""

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from demo.purchases import Purchase
from demo.settings import STAGE
from demo.shop import Shop
from demo.surroundings import LocalShop
from patchbay.cli.__main__ import INTERRUPTED, app
from patchbay.errors import UserError
from patchbay.operations.journeys.journal import entries
from patchbay.operations.pause import resume
from patchbay.processes.waiting import wait_until
from patchbay.project.naming import named
from patchbay.project.root import ROOT

SECONDS = 120  # for a command on a slow machine
A_PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*_[A-Z]+|NOW")

# Commands that go on until Ctrl-C, with the output that shows that they have started.
LASTING = {"console": "The console is at", "--watch": "payments"}
# Other tests may have left something wrong in the cloud.
MAY_END_WITH_1 = ("status",)


OPERATE: set[str] = set()
"""The commands that operate a deployment."""


def helps() -> dict[str, str]:
    """Return the help of each command and sub-command, by its path."""
    found: dict[str, str] = {}

    def walk(command: Any, path: str) -> None:
        for name, each in getattr(command, "commands", {}).items():
            walk(each, f"{path} {name}".strip())
        if not hasattr(command, "commands"):
            found[path] = command.help or ""
            if command.callback.__module__.startswith("patchbay.cli.operate"):
                OPERATE.add(path)

    walk(get_command(app), "")
    return found


def examples(text: str) -> list[str]:
    return re.findall(r"^\s*Example: (.+)$", text, flags=re.MULTILINE)


HELPS = helps()
# The examples in the help are a greenhouse's; here, the shop's names replace them.
SHOPS = {"ReadingTaken": "OrderPlaced", "alerts": "payments", "ID": "ORDER_ID"}
# Only the commands that operate a deployment: the others have their own tests.
EXAMPLES = [
    re.sub(r"\b(ReadingTaken|alerts|(?<=journey )ID)\b", lambda name: SHOPS[name[0]], example)
    for text in HELPS.values()
    for example in examples(text)
    if f"--stage {STAGE}" in example
]


@pytest.mark.parametrize("command", HELPS)
def test_every_command_has_an_example_of_itself_and_on_the_local_stage_where_it_operates_one(
    command: str,
) -> None:
    found = examples(HELPS[command])
    assert found, f"the help of `patchbay {command}` has no line `Example: patchbay {command} …`"
    for example in found:
        # `list` is the default command of its group, and can be left out.
        assert example.startswith(f"patchbay {command.removesuffix(' list')}")
        assert f"--stage {STAGE}" in example or command not in OPERATE


def test_commands_in_groups_are_found_too() -> None:
    assert {"status", "dead-letters list", "dead-letters redrive"} <= OPERATE <= HELPS.keys()


@pytest.fixture(scope="module")
def placeholders(
    running: LocalShop,
    shop: Shop,
    purchases: Iterator[Purchase],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """Replace the placeholders by an order in the journal, a dead letter, and times."""
    order = shop.place(next(purchases))

    def is_known() -> bool:
        with suppress(UserError):
            return bool(entries(running.cloud, STAGE, order))
        return False

    wait_until(is_known, "the journal to know the order", SECONDS)
    sqs = running.cloud.client("sqs")
    queue = sqs.get_queue_url(QueueName=named(STAGE, "payments-dead-letters"))["QueueUrl"]
    dead_letter = sqs.send_message(
        QueueUrl=queue,
        MessageBody=json.dumps({"id": "x", "detail-type": "OrderPlaced", "detail": {}}),
        MessageAttributes={"reason": {"DataType": "String", "StringValue": "refused by a test"}},
    )["MessageId"]
    now = datetime.now(UTC)
    yield {
        "ORDER_ID": order,
        "EVENT_ID": entries(running.cloud, STAGE, order)[0].id,
        "DEAD_LETTER_ID": dead_letter,
        "AN_HOUR_AGO": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "NOW": f"{now:%Y-%m-%dT%H:%M}",
    }
    file = tmp_path_factory.mktemp("discarded") / "dead-letters.jsonl"
    discard = ["dead-letters", "discard", "--id", dead_letter, "--yes", "--to", str(file)]
    command = [sys.executable, "-m", "patchbay.cli", *discard, "--stage", STAGE]
    subprocess.run(command, cwd=ROOT, env=running.cloud.environ, timeout=SECONDS, check=True)


@pytest.fixture
def nobody_is_paused(running: LocalShop) -> Iterator[None]:
    yield
    resume(running.cloud, STAGE, "notifications")


@pytest.mark.embedded
@pytest.mark.usefixtures("nobody_is_paused")
@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_can_be_run(
    running: LocalShop, placeholders: dict[str, str], example: str, tmp_path: Path
) -> None:
    words = [placeholders.get(word, word) for word in shlex.split(example)]
    unknown = [word for word in words if A_PLACEHOLDER.fullmatch(word)]
    assert not unknown, f"no value for the placeholders {unknown}"
    output, errors = tmp_path / "output", tmp_path / "errors"
    with output.open("wb") as stdout, errors.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "patchbay.cli", *words[1:]],
            cwd=ROOT,
            env=running.cloud.environ | {"COLUMNS": "120"},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            # A process in the background of a shell inherits SIGINT as ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        try:
            expected = [0, 1] if words[1] in MAY_END_WITH_1 else [0]
            for word in [word for word in LASTING if word in words]:
                expected_output = LASTING[word]

                def has_started(text: str = expected_output) -> bool:
                    return process.poll() is not None or text in output.read_text()

                wait_until(has_started, f"`{example}` to print {expected_output!r}", SECONDS)
                process.send_signal(signal.SIGINT)
                expected = [INTERRUPTED]
            code = process.wait(SECONDS)
        finally:
            process.kill()
            process.wait()
    assert code in expected, errors.read_text()
    printed = output.read_text() + errors.read_text()
    assert printed.strip()
    assert "Traceback" not in printed
