"""Amazon EventBridge's event patterns, validated and matched as AWS does.

    pattern = EventPattern('{"detail": {"amount": [{"numeric": [">", 100]}]}}')
    pattern.matches('{"detail": {"amount": 120.50}}')  # True

The rules are those of AWS's own matcher, github.com/aws/event-ruler, with its oddities. An
account's quotas, such as the length of a pattern or the complexity of wildcards, are not checked.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from patchbay.topology.exact_json import Leaf, Object, formatted, parse_object
from patchbay.topology.pattern_operators import (
    RESERVED_IN_OR,
    Test,
    address_digits,
    operator,
    within,
)

MOST_FIELDS = 256  # event-ruler's MAXIMUM_RULE_SIZE
MOST_COMBINATIONS = 1000  # EventBridge's limit for the branches of all $or together


class InvalidEventPattern(ValueError):
    """AWS would refuse this event pattern."""


@dataclass(frozen=True)
class EventPattern:
    """An event pattern, compiled once to match any number of events."""

    text: str
    _alternatives: "list[list[_Wanted]]" = field(init=False, repr=False, compare=False)
    _steps: set[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            compiled = _compile(parse_object(self.text))
        except (json.JSONDecodeError, RecursionError) as error:
            raise InvalidEventPattern(f"The pattern can't be read as JSON: {error}.") from None
        steps = {step for each in compiled for path in each for step in _steps(path)}
        object.__setattr__(self, "_alternatives", [sorted(each.values()) for each in compiled])
        object.__setattr__(self, "_steps", steps)

    def matches(self, event_json: str) -> bool:
        """Return whether an event, given as JSON, matches.

        Raise ValueError if it is not a JSON object.
        """
        leaves: _Leaves = {}
        try:
            _collect(parse_object(event_json), None, frozenset(), self._steps, leaves)
        except RecursionError:
            raise ValueError("The event nests too deeply.") from None
        return any(_holds(alternative, leaves) for alternative in self._alternatives)


# Matching. An event is a set of leaves, each with the array elements that contain it. The fields of
# a pattern must all be in one element of each array.

_Elements = frozenset[tuple[int, int]]  # an array's id(), and an index in it
_Leaves = dict[str, list[tuple[Leaf, _Elements]]]
_Found = tuple[set[_Elements] | None, set[_Elements]]  # present (if absence may match), accepted


class _Wanted(NamedTuple):
    """The test that a pattern has for the field at a path."""

    path: str
    may_be_absent: bool
    accepts: Test


def _steps(path: str) -> list[str]:
    """Return the names that AWS looks for in an event. It drops empty ones at the end."""
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
    """Return whether one element of each array can have all fields, given those chosen so far."""
    if not fields:
        return True
    (present, accepted), *others = fields
    if present is not None and not any(_is_one(chosen | elements) for elements in present):
        return _agree(others, chosen)
    return any(_agree(others, chosen | each) for each in accepted if _is_one(chosen | each))


def _is_one(elements: _Elements) -> bool:
    return len(dict(elements)) == len(elements)


# Compiling. A pattern becomes alternatives, of which one must match. $or forks them. If a pattern
# has one path twice, the later one counts.

_Alternatives = list[dict[str, _Wanted]]


def _compile(pattern: Object) -> _Alternatives:
    try:
        return _fork([{}], pattern, "", "$or")
    except InvalidEventPattern:
        # An invalid $or is an ordinary field of that name, as before AWS introduced $or.
        with suppress(InvalidEventPattern):
            return _fork([{}], pattern, "", None)
        raise


def _fork(
    so_far: _Alternatives, node: Object, path: str, or_name: str | None, in_or: bool = False
) -> _Alternatives:
    """Return the alternatives so far, each with the tests of this object added."""
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
            raise _invalid(below, f"{formatted(value)} must be in a list: [{formatted(value)}]")
        if len(so_far) > MOST_COMBINATIONS:
            raise _invalid(below, f"$or makes more than {MOST_COMBINATIONS} combinations")
    return so_far


def _wanted(path: str, values: list[Any]) -> _Wanted:
    if not values:
        raise _invalid(path, "an empty list matches nothing; put a value in it")
    absent = (("exists", False),)
    exact: set[str] = set()
    tests: list[Test] = []
    for value in values:
        if isinstance(value, list):
            raise _invalid(path, "a list of values can't hold another list")
        if isinstance(value, str) and (digits := address_digits(value)):
            tests.append(within(digits, digits))
        elif not isinstance(value, tuple):
            exact.add(repr(value))
        elif value != absent:
            try:
                tests.append(operator(value))
            except ValueError as error:
                raise _invalid(path, str(error)) from None

    def accepts(leaf: Leaf) -> bool:
        return repr(leaf) in exact or any(test(leaf) for test in tests)

    return _Wanted(path, absent in values, accepts)


def _invalid(path: str, problem: str) -> InvalidEventPattern:
    sentence = f"{path}: {problem}." if path else f"The pattern: {problem}."
    return InvalidEventPattern(sentence.encode("utf-8", "backslashreplace").decode())
