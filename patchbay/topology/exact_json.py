"""A JSON parser that keeps repeated names and the digits of numbers."""

import json
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn


class Number:
    """A number as written. As with all leaves, equal ones have the same repr()."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text if self.value is None else repr(self.value)

    @property
    def value(self) -> float | None:
        """Return the number as a double; None if a double can't represent it."""
        value = float(self.text) or 0.0  # not -0.0
        short = f"{value:.1e}"  # Java writes two digits at least, which counts for 4.9e-324
        with suppress(InvalidOperation):  # an exponent beyond all bounds
            written = short if float(short) == value else repr(value)
            if Decimal(written) == Decimal(self.text):
                return value
        return None


Object = tuple[tuple[str, Any], ...]  # pairs, for names may repeat
Leaf = str | Number | bool | None


def _refuse(constant: str) -> NoReturn:
    raise json.JSONDecodeError(f"{constant} is not JSON", constant, 0)


_JSON = json.JSONDecoder(
    object_pairs_hook=tuple, parse_int=Number, parse_float=Number, parse_constant=_refuse
)


def parse_object(text: str) -> Any:
    """Return the object at the text's beginning. AWS does not read what follows it."""
    start = len(text) - len(text.lstrip(" \t\r\n"))
    if not text.startswith("{", start):
        raise json.JSONDecodeError("Expecting an object", text, start)
    return _JSON.raw_decode(text, start)[0]


def formatted(value: Any) -> str:
    """Format a value for an error message."""
    if isinstance(value, tuple | list):
        return "an object" if isinstance(value, tuple) else "a list"
    return value.text if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)
