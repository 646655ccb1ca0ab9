"""Escaping of untrusted text for a terminal."""

import json
from typing import Any

CUT = "…"


def escape(text: str, most: int | None = None) -> str:
    """Escape every character that is invisible, or controls a terminal.

    Such a character moves the cursor, changes the direction of writing, or ends the line. A text
    longer than `most` is cut first.
    """
    if most is not None and len(text) > most:
        text = text[: most - 1] + CUT
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def escape_lines(text: str, most: int | None = None) -> str:
    """Escape a text, and keep its lines."""
    if most is not None and len(text) > most:
        text = text[: most - 1] + CUT
    return "\n".join(escape(line.expandtabs(4)) for line in text.split("\n"))


def indented(text: str, most: int) -> str:
    """Indent a text that is JSON; returns any other text unchanged."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return format_json(value, most)


def format_json(value: Any, most: int) -> str:
    """Format a value as indented JSON: the first `most` characters, and a few more.

    The rest is never formatted: a megabyte that is a thousand levels deep would become gigabytes of
    indents.
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
