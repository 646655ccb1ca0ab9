"""The operators of EventBridge's event patterns. Each tests one value of a field.

An invalid operator raises ValueError, to which `patchbay.topology.event_pattern` adds the path.
"""

import ipaddress
import re
from collections.abc import Callable
from contextlib import suppress
from operator import eq, ge, gt, le, lt
from typing import Any

from patchbay.did_you_mean import nearest
from patchbay.topology.exact_json import Leaf, Number, Object, formatted

Test = Callable[[Leaf], bool]


def operator(node: Object) -> Test:
    """Return the test for a leaf from an object in a list of values. Raise ValueError."""
    name, operand = _only_pair(node)
    if name not in OPERATORS:
        near = nearest(name, OPERATORS)
        hint = f'did you mean "{near}"?' if near else f"there are {', '.join(OPERATORS)}"
        raise ValueError(f'there is no operator "{name}"; {hint}')
    if name in SPECIAL:
        return SPECIAL[name](operand)
    if name == "exists":
        if operand is not True:  # false is no test of a leaf, and read above
            raise ValueError(f"exists takes true or false, not {formatted(operand)}")
        return lambda leaf: True
    if name in ("prefix", "suffix") and isinstance(operand, tuple):
        inner, operand = _only_pair(operand)
        if inner != "equals-ignore-case":
            raise ValueError(f'{name} takes a string or "equals-ignore-case", not "{inner}"')
        name += "-ignore-case"
    return _text(name, [operand])


def _only_pair(node: Object) -> tuple[str, Any]:
    if len(node) != 1:
        raise ValueError("an object in a list of values takes exactly one operator")
    return node[0]


def _text(name: str, operands: list[Any]) -> Test:
    """Return a test: a leaf is a string that matches an operator with any of these operands."""
    if others := [operand for operand in operands if not isinstance(operand, str)]:
        raise ValueError(f"{name} takes a string, not {formatted(others[0])}")
    expression = "|".join(TEXT_OPERATORS[name](operand) for operand in operands)
    matches = re.compile(expression, re.DOTALL).fullmatch
    return lambda leaf: isinstance(leaf, str) and matches(leaf) is not None


def _in_either_case(text: str) -> str:
    # AWS converts UTF-16 units one by one, and corrupts characters that have two of them.
    cases = ((c.lower(), c.upper()) if c <= "\uffff" else ("??", "??") for c in text)
    return "".join(f"(?:{re.escape(lower)}|{re.escape(upper)})" for lower, upper in cases)


def _wildcard(text: str) -> str:
    parts = [""]
    for unit in re.findall(r"\\?.", text, re.DOTALL):
        if unit == "*":
            parts.append("")
        elif unit.startswith("\\") and unit not in (r"\*", r"\\"):
            raise ValueError(r"in a wildcard, a \ must be followed by a * or by another \ ")
        else:
            parts[-1] += re.escape(unit[-1])
    if "" in parts[1:-1]:
        raise ValueError("in a wildcard, a * can't follow another")
    expression, *rest = parts
    if rest:  # the first match of a part is the best one: (?>…) does not try another
        expression += "".join(f"(?>.*?{part})" for part in rest[:-1]) + ".*" + rest[-1]
    return expression


def _anything_but(operand: Any) -> Test:
    if isinstance(operand, tuple):
        name, texts = _only_pair(operand)
        if name not in EXCLUDABLE:
            raise ValueError(f'anything-but takes no "{name}", only {", ".join(EXCLUDABLE)}')
        texts = texts if isinstance(texts, list) else [texts]
        if not texts or (name in ("prefix", "suffix") and "" in texts):
            raise ValueError(f"anything-but takes no empty {name}")
        excluded = _text(name, texts)
        return lambda leaf: not excluded(leaf)
    values = operand if isinstance(operand, list) else [operand]
    if {type(value) for value in values} not in ({str}, {Number}):
        raise ValueError("anything-but takes strings or numbers: one, or a list of one kind")
    exact = {repr(v if isinstance(v, str) else _comparable(v)) for v in values}
    return lambda leaf: repr(leaf) not in exact


def _numeric(operand: Any) -> Test:
    match operand:
        case [("=" | "<" | "<=" | ">" | ">=") as sign, Number() as number]:
            limits = {sign: _comparable(number)}
        case [(">" | ">=") as above, Number() as low, ("<" | "<=") as below, Number() as high]:
            limits = {above: _comparable(low), below: _comparable(high)}
            if limits[above] >= limits[below]:
                raise ValueError(f"no range goes from {low.text} to {high.text}")
        case _:
            raise ValueError('numeric takes a list such as [">", 0] or [">=", 0, "<", 10]')

    def test(leaf: Leaf) -> bool:
        value = leaf.value if isinstance(leaf, Number) else None
        return value is not None and all(COMPARISONS[s](value, limits[s]) for s in limits)

    return test


def _comparable(number: Number) -> float:
    if (value := number.value) is None:
        raise ValueError(f"{number.text} has more digits, or is larger, than AWS compares")
    return value


def address_digits(text: str) -> str | None:
    """Return the hexadecimal digits of an IP address; None for another text."""
    if re.fullmatch(r"(?!.{16})([0-9]+\.){3}[0-9]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*", text):
        with suppress(ValueError):
            address = ipaddress.ip_address(re.sub(r"\b0+(?=[0-9a-fA-F])", "", text))
            return (getattr(address, "ipv4_mapped", None) or address).packed.hex()
    return None


def _cidr(operand: Any) -> Test:
    block = isinstance(operand, str) and re.fullmatch(r"([^/]+)/([+-]?\d+)/*", operand)
    digits = address_digits(block[1]) if block else None
    if not block or not digits or not 0 <= int(block[2]) < len(digits) * 4:
        raise ValueError(f"{formatted(operand)} is no block of IP addresses, such as 10.0.0.0/8")
    others = (1 << len(digits) * 4 - int(block[2])) - 1
    ends = int(digits, 16) & ~others, int(digits, 16) | others
    return within(*(f"{end:0{len(digits)}x}" for end in ends))


def within(low: str, high: str) -> Test:
    """Return a test: an address is in a range.

    AWS compares digit by digit, even an IPv4 address with an IPv6 block.
    """

    def test(leaf: Leaf) -> bool:
        digits = address_digits(leaf) if isinstance(leaf, str) else None
        if not digits:
            return False
        if len(digits) < len(low):
            return low[: len(digits)] < digits < high[: len(digits)]
        return low <= digits[: len(low)] <= high

    return test


TEXT_OPERATORS: dict[str, Callable[[str], str]] = {  # as regular expressions
    "exactly": re.escape,
    "prefix": lambda text: re.escape(text) + ".*",
    "suffix": lambda text: ".*" + re.escape(text),
    "equals-ignore-case": _in_either_case,
    "prefix-ignore-case": lambda text: _in_either_case(text) + ".*",
    "suffix-ignore-case": lambda text: ".*" + _in_either_case(text),
    "wildcard": _wildcard,
}
COMPARISONS = {"=": eq, "<": lt, "<=": le, ">": gt, ">=": ge}
SPECIAL = {"anything-but": _anything_but, "numeric": _numeric, "cidr": _cidr}
EXCLUDABLE = ("prefix", "suffix", "equals-ignore-case", "wildcard")
OPERATORS = (*EXCLUDABLE, *SPECIAL, "exactly", "exists")
FUTURE = """regex not-wildcard not-equals-ignore-case date-after date-on-or-after date-before
            date-on-or-before in-date-range ip-address-in-range ip-address-not-in-range"""
RESERVED_IN_OR = {*OPERATORS, *COMPARISONS, *FUTURE.split()}
