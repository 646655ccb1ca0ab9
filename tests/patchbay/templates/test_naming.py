"""Names of services: Python and AWS accept every name that is accepted here."""

import ast
import keyword
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from patchbay.errors import UserError
from patchbay.events.event import Event
from patchbay.project.naming import named
from patchbay.project.project import BadStage, project
from patchbay.templates.naming import LONGEST_STAGE, check_length, parse


class ReadingTaken(Event):
    """A sensor took a reading."""


class BedWatered(Event):
    """A bed was watered."""


EVENTS: list[type[Event]] = [ReadingTaken, BedWatered]


def spellings() -> st.SearchStrategy[str]:
    words = st.from_regex(r"[a-z][a-z0-9]{0,14}", fullmatch=True)
    joined = st.lists(words, min_size=1, max_size=5).map("-".join)
    return st.one_of(joined, joined.map(lambda name: name.replace("-", "_")), st.text(max_size=12))


@example("class", EVENTS)
@example("none", EVENTS)
@example("a" * 36, EVENTS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spellings(), st.lists(st.sampled_from(EVENTS), min_size=1, unique=True))
def test_every_accepted_name_is_valid_in_python_and_on_aws(
    text: str, on: list[type[Event]]
) -> None:
    try:
        name = parse(text)
        check_length(name, on)
    except UserError:
        return
    assert name.module.isidentifier()
    assert name.class_name.isidentifier()
    assert not keyword.iskeyword(name.module)
    assert not keyword.iskeyword(name.class_name)
    assert name.service == text.replace("_", "-")
    ast.parse(f"import functions.{name.module}.handler\nclass {name.class_name}: ...")
    for stage in ("local", "dev", "prod", LONGEST_STAGE):
        for suffix, limit in lengths(on):
            assert len(named(stage, f"{name.service}{suffix}")) <= limit


def lengths(on: list[type[Event]]) -> Iterator[tuple[str, int]]:
    yield "", 64
    yield "-dead-letters", 80
    yield "-undelivered", 80
    yield "-idempotency", 255
    yield from ((f"-{event.source().replace('.', '-')}", 64) for event in on)


def test_lengths_are_checked_with_the_longest_stage_name() -> None:
    assert project().stage(LONGEST_STAGE)
    with pytest.raises(BadStage):
        project().stage(f"{LONGEST_STAGE}s")
