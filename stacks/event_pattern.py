"""Amazon EventBridge's event patterns: checked, and matched, as AWS does it.

    pattern = EventPattern('{"detail": {"amount": [{"numeric": [">", 100]}]}}')
    pattern.matches('{"detail": {"amount": 120.50}}')  # True

The rules are those of AWS's own matcher, github.com/aws/event-ruler, with its oddities. Quotas of
an account, such as how long a pattern may be or how complex its wildcards, are not checked.
"""

import difflib
import ipaddress
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import chain
from operator import eq, ge, gt, le, lt
from typing import Any, NamedTuple, NoReturn

MOST_FIELDS = 256  # event-ruler's MAXIMUM_RULE_SIZE
MOST_COMBINATIONS = 1000  # EventBridge's limit for the branches of all $or together


class InvalidEventPattern(ValueError):
    """AWS would refuse this event pattern."""


@dataclass(frozen=True)
class EventPattern:
    """An event pattern: compiled once, and then asked about any number of events."""

    text: str
    _alternatives: "list[list[_Wanted]]" = field(init=False, repr=False, compare=False)
    _steps: set[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            compiled = _compile(_parse_object(self.text))
        except (json.JSONDecodeError, RecursionError) as error:
            raise InvalidEventPattern(f"The pattern can't be read as JSON: {error}.") from None
        steps = {step for each in compiled for path in each for step in _steps(path)}
        object.__setattr__(self, "_alternatives", [sorted(each.values()) for each in compiled])
        object.__setattr__(self, "_steps", steps)

    def matches(self, event_json: str) -> bool:
        """Whether an event, given as JSON, matches; a ValueError if it is not a JSON object."""
        leaves: _Leaves = {}
        try:
            _collect(_parse_object(event_json), None, frozenset(), self._steps, leaves)
        except RecursionError:
            raise ValueError("The event nests too deeply.") from None
        return any(_holds(alternative, leaves) for alternative in self._alternatives)


# JSON, whole: an object is a tuple of pairs, for names may repeat; a number is kept as written.


class _Number:
    """A number, as it was written. As with all leaves, equal ones have the same repr()."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text if self.value is None else repr(self.value)

    @property
    def value(self) -> float | None:
        """None if it has more digits, or is larger or smaller, than a double can tell."""
        value = float(self.text) or 0.0  # not -0.0
        short = f"{value:.1e}"  # Java writes two digits at least, which counts for 4.9e-324
        with suppress(InvalidOperation):  # an exponent beyond all bounds
            written = short if float(short) == value else repr(value)
            if Decimal(written) == Decimal(self.text):
                return value
        return None


_Object = tuple[tuple[str, Any], ...]
_Leaf = str | _Number | bool | None


def _refuse(constant: str) -> NoReturn:
    raise json.JSONDecodeError(f"{constant} is not JSON", constant, 0)


_JSON = json.JSONDecoder(
    object_pairs_hook=tuple, parse_int=_Number, parse_float=_Number, parse_constant=_refuse
)


def _parse_object(text: str) -> Any:
    """The object at the text's beginning. What follows it, AWS does not read."""
    start = len(text) - len(text.lstrip(" \t\r\n"))
    if not text.startswith("{", start):
        raise json.JSONDecodeError("Expecting an object", text, start)
    return _JSON.raw_decode(text, start)[0]


# Matching. An event is its leaves, each with the array elements that it lies in: what a pattern
# asks for must be found in one element of each array.

_Elements = frozenset[tuple[int, int]]  # an array's id(), and an index in it
_Leaves = dict[str, list[tuple[_Leaf, _Elements]]]
_Found = tuple[set[_Elements] | None, set[_Elements]]  # where absence matters, and as wanted
_Test = Callable[[_Leaf], bool]


class _Wanted(NamedTuple):
    """What a pattern asks of the field at a path."""

    path: str
    may_be_absent: bool
    accepts: _Test


def _steps(path: str) -> list[str]:
    """The names that AWS looks for in an event. An empty one at the end is lost."""
    return path.rstrip(".").split(".")


def _collect(
    node: Any, path: str | None, inside: _Elements, steps: set[str], leaves: _Leaves
) -> None:
    if isinstance(node, tuple):
        for name, value in node:
            if name in steps or ("." in name and steps.issuperset(_steps(name))):
                below = name if path is None else f"{path}.{name}"
                _collect(value, below, inside, steps, leaves)
    elif isinstance(node, list):
        for index, item in enumerate(node):
            within = inside | {(id(node), index)} if isinstance(item, tuple | list) else inside
            _collect(item, path, within, steps, leaves)
    else:
        leaves.setdefault(path or "", []).append((node, inside))


def _holds(alternative: list[_Wanted], leaves: _Leaves) -> bool:
    fields: list[_Found] = []
    for path, may_be_absent, accepts in alternative:
        found = leaves.get(path, ())
        accepted = {elements for leaf, elements in found if accepts(leaf)}
        if not accepted and not may_be_absent:
            return False
        fields.append(({elements for _, elements in found} if may_be_absent else None, accepted))
    return _agree(fields, frozenset())


def _agree(fields: list[_Found], chosen: _Elements) -> bool:
    """Whether all fields can be had from one element of each array, given those chosen so far."""
    if not fields:
        return True
    (present, accepted), *others = fields
    if present is not None and not any(_is_one(chosen | elements) for elements in present):
        return _agree(others, chosen)
    return any(_agree(others, chosen | each) for each in accepted if _is_one(chosen | each))


def _is_one(elements: _Elements) -> bool:
    return len(dict(elements)) == len(elements)


# Compiling. A pattern becomes alternatives, of which one must hold. $or forks them; of two wishes
# for one path, the later counts.

_Alternatives = list[dict[str, _Wanted]]


def _compile(pattern: _Object) -> _Alternatives:
    try:
        return _fork([{}], pattern, "", "$or")
    except InvalidEventPattern:
        # What is no proper $or is what it was before there was one: a field of that name.
        with suppress(InvalidEventPattern):
            return _fork([{}], pattern, "", None)
        raise


def _fork(
    so_far: _Alternatives, node: _Object, path: str, or_name: str | None, in_or: bool = False
) -> _Alternatives:
    """The alternatives so far, each with what this object asks for as well."""
    if not node:
        raise _invalid(path, "an empty object asks for nothing; name a field in it")
    for name, value in node:
        below = f"{path}.{name}" if path else name
        if name == or_name:
            if not isinstance(value, list) or len(value) < 2 or {type(v) for v in value} != {tuple}:
                raise _invalid(below, "$or takes a list of two or more objects")
            forks = (_fork(so_far, branch, path, or_name, True) for branch in value)
            so_far = list(chain.from_iterable(forks))
        elif in_or and name in RESERVED_IN_OR:
            raise _invalid(below, f'no field can have the name "{name}" inside $or')
        elif isinstance(value, tuple):
            so_far = _fork(so_far, value, below, or_name, in_or)
        elif isinstance(value, list):
            wanted = _wanted(below, value)
            so_far = [{**each, below: wanted} for each in so_far]
            if any(len(each) > MOST_FIELDS for each in so_far):
                raise _invalid(below, f"a pattern can't ask for more than {MOST_FIELDS} fields")
        else:
            raise _invalid(below, f"{_shown(value)} must be in a list: [{_shown(value)}]")
        if len(so_far) > MOST_COMBINATIONS:
            raise _invalid(below, f"$or makes more than {MOST_COMBINATIONS} combinations")
    return so_far


def _wanted(path: str, values: list[Any]) -> _Wanted:
    if not values:
        raise _invalid(path, "an empty list matches nothing; put a value in it")
    absent = (("exists", False),)
    exact: set[str] = set()
    tests: list[_Test] = []
    for value in values:
        if isinstance(value, list):
            raise _invalid(path, "a list of values can't hold another list")
        if isinstance(value, str) and (address := _address(value)):
            tests.append(_within(address, address))
        elif not isinstance(value, tuple):
            exact.add(repr(value))
        elif value != absent:
            try:
                tests.append(_operator(value))
            except ValueError as error:
                raise _invalid(path, str(error)) from None

    def accepts(leaf: _Leaf) -> bool:
        return repr(leaf) in exact or any(test(leaf) for test in tests)

    return _Wanted(path, absent in values, accepts)


def _invalid(path: str, problem: str) -> InvalidEventPattern:
    sentence = f"{path}: {problem}." if path else f"The pattern: {problem}."
    return InvalidEventPattern(sentence.encode("utf-8", "backslashreplace").decode())


def _shown(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "an object" if isinstance(value, tuple) else "a list"
    return value.text if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)


# Operators. What is wrong with one is a ValueError, to which the path is added above.


def _operator(node: _Object) -> _Test:
    name, operand = _only_pair(node)
    if name not in OPERATORS:
        nearest = difflib.get_close_matches(name, OPERATORS, n=1)
        hint = f'did you mean "{nearest[0]}"?' if nearest else f"there are {', '.join(OPERATORS)}"
        raise ValueError(f'there is no operator "{name}"; {hint}')
    if name in SPECIAL:
        return SPECIAL[name](operand)
    if name == "exists":
        if operand is not True:  # false is no test of a leaf, and read above
            raise ValueError(f"exists takes true or false, not {_shown(operand)}")
        return lambda leaf: True
    if name in ("prefix", "suffix") and isinstance(operand, tuple):
        inner, operand = _only_pair(operand)
        if inner != "equals-ignore-case":
            raise ValueError(f'{name} takes a string or "equals-ignore-case", not "{inner}"')
        name += "-ignore-case"
    return _text(name, [operand])


def _only_pair(node: _Object) -> tuple[str, Any]:
    if len(node) != 1:
        raise ValueError("an object in a list of values takes exactly one operator")
    return node[0]


def _text(name: str, operands: list[Any]) -> _Test:
    """Whether a leaf is a string that passes an operator with any of these operands."""
    if others := [operand for operand in operands if not isinstance(operand, str)]:
        raise ValueError(f"{name} takes a string, not {_shown(others[0])}")
    expression = "|".join(TEXT_OPERATORS[name](operand) for operand in operands)
    matches = re.compile(expression, re.DOTALL).fullmatch
    return lambda leaf: isinstance(leaf, str) and matches(leaf) is not None


def _in_either_case(text: str) -> str:
    # AWS takes UTF-16 units one by one, and spoils what needs two of them.
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
    if rest:  # the first place for a part is the best one: (?>…) never looks for another
        expression += "".join(f"(?>.*?{part})" for part in rest[:-1]) + ".*" + rest[-1]
    return expression


def _anything_but(operand: Any) -> _Test:
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
    if {type(value) for value in values} not in ({str}, {_Number}):
        raise ValueError("anything-but takes strings or numbers: one, or a list of one kind")
    exact = {repr(v if isinstance(v, str) else _comparable(v)) for v in values}
    return lambda leaf: repr(leaf) not in exact


def _numeric(operand: Any) -> _Test:
    match operand:
        case [("=" | "<" | "<=" | ">" | ">=") as sign, _Number() as number]:
            limits = {sign: _comparable(number)}
        case [(">" | ">=") as above, _Number() as low, ("<" | "<=") as below, _Number() as high]:
            limits = {above: _comparable(low), below: _comparable(high)}
            if limits[above] >= limits[below]:
                raise ValueError(f"no range goes from {low.text} to {high.text}")
        case _:
            raise ValueError('numeric takes a list such as [">", 0] or [">=", 0, "<", 10]')

    def test(leaf: _Leaf) -> bool:
        value = leaf.value if isinstance(leaf, _Number) else None
        return value is not None and all(COMPARISONS[s](value, limits[s]) for s in limits)

    return test


def _comparable(number: _Number) -> float:
    if (value := number.value) is None:
        raise ValueError(f"{number.text} has more digits, or is larger, than AWS compares")
    return value


def _address(text: str) -> str | None:
    """The hexadecimal digits of an IP address."""
    if re.fullmatch(r"(?!.{16})([0-9]+\.){3}[0-9]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*", text):
        with suppress(ValueError):
            address = ipaddress.ip_address(re.sub(r"\b0+(?=[0-9a-fA-F])", "", text))
            return (getattr(address, "ipv4_mapped", None) or address).packed.hex()
    return None


def _cidr(operand: Any) -> _Test:
    block = isinstance(operand, str) and re.fullmatch(r"([^/]+)/([+-]?\d+)/*", operand)
    digits = _address(block[1]) if block else None
    if not block or not digits or not 0 <= int(block[2]) < len(digits) * 4:
        raise ValueError(f"{_shown(operand)} is no block of IP addresses, such as 10.0.0.0/8")
    others = (1 << len(digits) * 4 - int(block[2])) - 1
    ends = int(digits, 16) & ~others, int(digits, 16) | others
    return _within(*(f"{end:0{len(digits)}x}" for end in ends))


def _within(low: str, high: str) -> _Test:
    """AWS compares digit after digit until it knows, even an IPv4 address with an IPv6 block."""

    def test(leaf: _Leaf) -> bool:
        digits = _address(leaf) if isinstance(leaf, str) else None
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
