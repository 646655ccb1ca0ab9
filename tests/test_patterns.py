"""Every file and every name in docs/patterns.md exists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "patterns.md").read_text()

NEEDED = [
    "aggregator",
    "claim check",
    "competing consumers",
    "content-based router",
    "control bus",
    "correlation identifier",
    "dead letter channel",
    "envelope wrapper",
    "event message",
    "event-driven consumer",
    "guaranteed delivery",
    "idempotent receiver",
    "invalid message channel",
    "message bus",
    "message expiration",
    "message filter",
    "message history",
    "message store",
    "message translator",
    "polling consumer",
    "process manager",
    "publish-subscribe channel",
    "resequencer",
    "service activator",
    "transactional client",
    "wire tap",
]

PARTS = ("**Problem:**", "**Where:**", "**Use it**", "**It costs**", "**Not**")

# A file, and the names in it that may follow in brackets.
PLACE = re.compile(r"`([\w/.-]+/[\w.-]+\.\w+)`(?: \(((?:`\w+`(?:, )?)+)\))?")


def entries() -> dict[str, str]:
    """The text of each pattern, by its name in lower case."""
    name_and_text = re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return {name.lower(): text for name, text in name_and_text}


def places() -> Iterator[tuple[str, str]]:
    """Each file, with each name in it, or with none."""
    for file, names in PLACE.findall(TEXT):
        yield from ((file, name) for name in re.findall(r"\w+", names) or [""])


def defined_in(source: str) -> set[str]:
    """The names that a module defines: its own, and those of its classes."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return found


@pytest.mark.parametrize("pattern", NEEDED)
def test_a_pattern_has_its_files_and_its_limits(pattern: str) -> None:
    text = entries()[pattern]
    assert [part for part in PARTS if part not in text] == []
    assert PLACE.search(text)


@pytest.mark.parametrize("pattern", entries())
def test_every_pattern_is_in_the_table_at_the_top(pattern: str) -> None:
    assert f"[{pattern}](#{pattern.replace(' ', '-')})" in TEXT


@pytest.mark.parametrize(("file", "name"), sorted(set(places())))
def test_the_files_and_names_in_the_patterns_exist(file: str, name: str) -> None:
    assert (ROOT / file).is_file()
    assert not name or name in defined_in((ROOT / file).read_text())


def test_every_named_file_is_checked() -> None:
    named = set(re.findall(r"`([\w/.-]+\.(?:py|json|md))`", TEXT))
    assert named == {file for file, _ in places()}
