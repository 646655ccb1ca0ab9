"""The three files of a new consumer."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from string import Template

from patchbay.events.event import Event
from patchbay.events.examples import example
from patchbay.project.root import ROOT
from patchbay.templates.naming import Name

MAX_SUMMARY = 72  # characters, so that its line stays within the project's

HANDLER = Template('''\
"""$summary"""

$contracts
from patchbay.messaging.consuming import consumer
from patchbay.messaging.telemetry import logger


@consumer
def handler(event: $union) -> None:
    # Your code goes here. What it raises brings this event back later, and Reject from
    # patchbay.messaging.errors makes it a dead letter at once; no other event is held up.
    logger().info("$service has it", received=event.model_dump(mode="json"))
''')

STACK = Template('''\
"""The $service service."""

$contracts
from patchbay.constructs.service import Service


class $class_name(Service):
    """$summary"""

    def compose(self) -> None:
        self.consumer(on=[$events])
''')

TEST = Template('''\
"""Tests $service in the whole deployed system: see docs/testing.md."""

$contracts
from patchbay.testkit.cloud import Cloud
''')

TEST_OF_EVENT = Template("""\


def test_it_handles_$event_in_words(cloud: Cloud) -> None:
    event = $example
    event_id = cloud.publish(event)
    cloud.settle()
    assert cloud.handled("$service") == [event_id]
    (line,) = cloud.logs("$service", "$service has it")
    assert line["received"] == event.model_dump(mode="json")
""")

TEST_OF_FAILURE = Template("""\


def test_what_it_fails_on_waits_for_it_among_its_dead_letters(cloud: Cloud) -> None:
    cloud.break_("$service", with_=ConnectionError("out of order"))
    event_id = cloud.publish($example)
    cloud.settle()
    assert cloud.dead_letters("$service").causes == [event_id]

    cloud.mend("$service")
    cloud.redrive("$service")
    cloud.settle()
    assert cloud.handled("$service") == [event_id]
""")


def files(name: Name, on: Sequence[type[Event]]) -> dict[Path, str]:
    """What each of the new files holds."""
    words = {
        "service": name.service,
        "module": name.module,
        "class_name": name.class_name,
        "summary": _summary(on),
        "contracts": _imports(on),
        "events": ", ".join(event.__name__ for event in on),
        "union": " | ".join(event.__name__ for event in on),
    }
    tests = [TEST_OF_EVENT.substitute(words | _words_of(event)) for event in on]
    tests.append(TEST_OF_FAILURE.substitute(words | _words_of(on[0])))
    texts = {
        name.handler: HANDLER.substitute(words),
        name.stack: STACK.substitute(words),
        name.test: TEST.substitute(words) + "".join(tests),
    }
    return {path: _tidy(text, path) for path, text in texts.items()}


def _summary(on: Sequence[type[Event]]) -> str:
    *others, last = [event.__name__ for event in on]
    names = f"{', '.join(others)} and {last}" if others else last
    summary = f"Handles {names}."
    return summary if len(summary) <= MAX_SUMMARY else f"Handles {len(on)} types of events."


def _imports(on: Sequence[type[Event]]) -> str:
    return "\n".join(f"from {event.__module__} import {event.__name__}" for event in on)


def _words_of(event: type[Event]) -> dict[str, str]:
    arguments = ", ".join(f"{field}={value!r}" for field, value in example(event).items())
    in_words = re.sub(r"(?<=.)([A-Z])", r"_\1", event.__name__).lower()
    return {"event_in_words": in_words, "example": f"{event.__name__}({arguments})"}


def _tidy(code: str, path: Path) -> str:
    """The code as `make format` leaves it: long lines are folded, and imports sorted."""
    for command in (["check", "--quiet", "--fix", "--select", "I"], ["format", "--quiet"]):
        code = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(path), "-"],
            cwd=ROOT, input=code, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    return code
