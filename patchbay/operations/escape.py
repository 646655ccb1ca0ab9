"""Escapes for untrusted text on a terminal."""

import json
from typing import Any

CUT = "…"


def escape(text: str, most: int | None = None) -> str:
    """Escape each character of a text that is invisible, or controls a terminal.

    Such as those that move the cursor, turn the direction of writing, or end the line. Of a text
    that is longer than `most` the beginning is shown.
    """
    if most is not None and len(text) > most:
        text = text[: most - 1] + CUT
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def escape_lines(text: str, most: int | None = None) -> str:
    """Escape a text likewise, and keep its lines."""
    if most is not None and len(text) > most:
        text = text[: most - 1] + CUT
    return "\n".join(escape(line.expandtabs(4)) for line in text.split("\n"))


def indented(text: str, most: int) -> str:
    """Indent JSON as `format_json` does; returns any other text as it is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return format_json(value, most)


def format_json(value: Any, most: int) -> str:
    """Format a value as indented JSON: its first `most` characters, and few more.

    What is behind them is never made: the indents of a megabyte a thousand levels deep would be
    gigabytes.
    """
    text = ""
    try:
        for part in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(value):
            text += part
            if len(text) > most:
                break
    except RecursionError:
        text += f" {CUT}"
    return text


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
