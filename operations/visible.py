"""Text of others on a terminal: it is shown, and does nothing."""

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


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
