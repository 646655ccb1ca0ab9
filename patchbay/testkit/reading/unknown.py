"""Placeholders for values that the kit can't know: harmless until a test uses one.

A placeholder is a string, like CloudFormation's own value. It contains a mark by which the kit
recognizes it wherever it is used.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from patchbay.testkit.errors import NotInTheKit

_MARK = "not-in-the-kit-"
_PLACEHOLDER = re.compile(_MARK + "[0-9a-f]{8}")


class Kind(Enum):
    """The kind of value that a placeholder replaces."""

    RESOURCE = "the name, ARN or address of a resource, which code may pass on unchanged"
    VALUE = "a value that code may depend on, so a function with it can't run"


_REASONS: dict[str, tuple[str, Kind]] = {}


def placeholder(what: str, reason: str, kind: Kind = Kind.VALUE) -> str:
    """Return a text that replaces an unknown value; its use raises `reason`."""
    mark = _MARK + hashlib.sha256(f"{what} {reason}".encode()).hexdigest()[:8]
    _REASONS[mark] = (reason, kind)
    return f"{what}.{mark}"


def reasons(value: Any, kind: Kind | None = None) -> Iterator[str]:
    """Yield the reason of each placeholder in a value, of any kind or of one kind."""
    if isinstance(value, str):
        if _MARK in value:
            for mark in _PLACEHOLDER.findall(value):
                reason, its_kind = _REASONS.get(mark, (f"{mark} is unknown.", Kind.VALUE))
                if kind in (None, its_kind):
                    yield reason
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from reasons(key, kind)
            yield from reasons(item, kind)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from reasons(item, kind)


def refuse(value: Any, user: str) -> None:
    """Raise NotInTheKit if a value contains a placeholder; `user` is what would use it."""
    for reason in reasons(value):
        raise NotInTheKit(f"{user}: {reason}")
