"""Suggestions for a name that does not exist."""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to `name`, whatever its case; None if none is close."""
    from difflib import get_close_matches  # here, not at the top: handlers never make a suggestion

    by_folded_name = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(name.lower(), by_folded_name, n=1)
    return by_folded_name[found[0]] if found else None


def suggestion(name: str, known: Iterable[str], otherwise: str = "There are") -> str:
    """Return a sentence that names the closest known name, or else all of them."""
    known = list(known)
    if near := nearest(name, known):
        return f"Did you mean {near!r}?"
    return f"{otherwise}: {', '.join(known)}." if known else ""
