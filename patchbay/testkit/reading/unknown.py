"""Placeholders for what the kit can't know: harmless until code or an event comes to one of them.

A placeholder is a string, as CloudFormation's own value would be, with a mark in it by which it is
recognized wherever it is used.
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
    """What a placeholder stands for."""

    RESOURCE = "the name, ARN or address of a resource: whoever only hands it on sees no difference"
    VALUE = "a value that code may depend on, so that no function can run without it"


_REASONS: dict[str, tuple[str, Kind]] = {}


def placeholder(what: str, reason: str, kind: Kind = Kind.VALUE) -> str:
    """Return a text that stands for something unknown; `reason` is raised where it is used."""
    mark = _MARK + hashlib.sha256(f"{what} {reason}".encode()).hexdigest()[:8]
    _REASONS[mark] = (reason, kind)
    return f"{what}.{mark}"


def reasons(value: Any, kind: Kind | None = None) -> Iterator[str]:
    """Yield why each placeholder in a value is one, of any kind or of the one that is given."""
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
    """Raise NotInTheKit where a value has a placeholder in it; `user` is what would use it."""
    for reason in reasons(value):
        raise NotInTheKit(f"{user}: {reason}")
