"""Text of others on a terminal: it is shown, and does nothing."""

import json

CUT = "…"


def visible(text: str, most: int | None = None) -> str:
    """The text on one line, with an escape for each character that is not seen, or that acts.

    Such as those that move the cursor, turn the direction of writing, or end the line. Of a text
    that is longer than `most` the beginning is shown.
    """
    if most is not None and len(text) > most:
        text = text[: most - 1] + CUT
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def visible_lines(text: str, most: int | None = None) -> str:
    """The same, where the lines stay lines."""
    if most is not None and len(text) > most:
        text = text[: most - 1] + CUT
    return "\n".join(visible(line.expandtabs(4)) for line in text.split("\n"))


def pretty(text: str) -> str:
    """JSON on lines of its own, for people; any other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
