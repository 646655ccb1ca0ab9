"""Untrusted text is escaped: a terminal shows it, and never obeys it."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchbay.operations.escape import escape, escape_lines, indented


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("order \u202etxt.exe", r"order \u202etxt.exe"),
        ("\ud800", r"\ud800"),
        ("\u200b", r"\u200b"),
    ],
)
def test_control_characters_are_escaped(hostile: str, shown: str) -> None:
    assert escape(hostile) == shown


def test_printable_text_is_not_changed() -> None:
    assert escape("Zoë, 漢字, naïve “ok” 🙂 [bold]") == "Zoë, 漢字, naïve “ok” 🙂 [bold]"


def test_a_long_text_is_cut_before_it_is_escaped() -> None:
    assert escape("\x1b" * 1_000_000, most=3) == r"\x1b\x1b…"


@pytest.mark.parametrize("deep", [1, 400, 3000])
def test_only_the_part_of_deep_json_that_is_shown_is_formatted(deep: int) -> None:
    text = "[" * deep + ",".join("1" for _ in range(2**19)) + "]" * deep
    tracemalloc.start()
    shown = indented(text, most=20_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert shown.startswith("[")
    assert peak < 16 * len(text)


def test_lines_stay_lines() -> None:
    assert escape_lines("a\n\tb\x1b\r\n") == "a\n    b\\x1b\\r\n"


@given(st.text(alphabet=st.characters()), st.integers(1, 50))
def test_any_text_becomes_printable(text: str, most: int) -> None:
    shown = escape(text, most)
    assert shown.isprintable()
    shown.encode()
    escape_lines(text, most).replace("\n", "").encode()
