"""Filters of a consumer's events by their fields: `where={"amount": at_least(100)}`.

EventBridge applies them, so that events which do not match cost nothing. When the app is
synthesized, each filter is checked against the contract: with a field that the event does not have,
or that can't hold such a value, it would never match, and nobody would notice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any, cast

from patchbay.did_you_mean import suggestion
from patchbay.errors import UserError
from patchbay.events.event import Event

Number = int | float | Decimal
MAX_NUMBER = 5_000_000_000  # above it, and below its negative, EventBridge compares no numbers


@dataclass(frozen=True)
class Test:
    """A condition on a field."""

    expression: str
    """The condition as the stack has it, such as `at_least(100)`."""

    pattern: Sequence[Any]
    """The condition as EventBridge's pattern has it: one of these has to match."""

    kinds: frozenset[str]
    """The JSON types of the values that can match."""

    __test__ = False  # pytest must not collect it


Fields = Mapping[str, Test]
Where = Fields | Mapping[Any, Fields]
"""The conditions by field, for all events; or by event (its class), and then by field."""


class BadFilter(UserError):
    """A filter does not fit the contract, or is none that EventBridge can apply."""


@dataclass(frozen=True)
class Selection:
    """The events of a source that one rule selects."""

    source: str
    types: tuple[str, ...]
    fields: Fields

    @property
    def detail(self) -> dict[str, Any] | None:
        """Return the part of the rule's pattern that is about the events' detail."""
        data = {name: list(test.pattern) for name, test in self.fields.items()}
        return {"data": data} if data else None


def equals(value: str | bool | Number | None) -> Test:
    """Match a field with exactly that value."""
    return Test(f"equals({value!r})", [_exactly(value)], frozenset({_kind_of(value)}))


def one_of(*values: str | Number) -> Test:
    """Match a field with one of these values."""
    expression = f"one_of({', '.join(map(repr, values))})"
    if not values:
        raise BadFilter(f"{expression} matches nothing: give it at least one value.")
    return Test(expression, [_exactly(each) for each in values], frozenset(map(_kind_of, values)))


def none_of(*texts: str) -> Test:
    """Match a string field with none of these values."""
    expression = f"none_of({', '.join(map(repr, texts))})"
    return Test(expression, [{"anything-but": list(texts)}], frozenset({"string"}))


def prefix(text: str) -> Test:
    """Match a string field that begins with the text."""
    return Test(f"prefix({text!r})", [{"prefix": text}], frozenset({"string"}))


def suffix(text: str) -> Test:
    """Match a string field that ends with the text."""
    return Test(f"suffix({text!r})", [{"suffix": text}], frozenset({"string"}))


def at_least(number: Number) -> Test:
    """Match a field with that number or a larger one."""
    return _numeric(f"at_least({number})", ">=", number)


def above(number: Number) -> Test:
    """Match a field with a larger number."""
    return _numeric(f"above({number})", ">", number)


def at_most(number: Number) -> Test:
    """Match a field with that number or a smaller one."""
    return _numeric(f"at_most({number})", "<=", number)


def below(number: Number) -> Test:
    """Match a field with a smaller number."""
    return _numeric(f"below({number})", "<", number)


def between(low: Number, high: Number) -> Test:
    """Match a field with one of the two numbers, or one between them."""
    if low >= high:
        raise BadFilter(f"between({low}, {high}) needs two different numbers, the lower one first.")
    return _numeric(f"between({low}, {high})", ">=", low, "<=", high)


def missing() -> Test:
    """Match a field that is null, or that the publisher left out."""
    return Test("missing()", [None, {"exists": False}], frozenset({"null"}))


def selections(on: Sequence[type[Event]], where: Where | None) -> list[Selection]:
    """Return the events by source and filter, one selection for each rule; raises BadFilter.

    Each source has its own rule: a pattern for several would match each type from any of them.
    """
    fields = _by_event(on, where or {})
    for event in on:
        for name, test in fields[event].items():
            _check(event, name, test)

    def kind(event: type[Event]) -> tuple[str, str]:
        return event.source(), repr(sorted(fields[event].items()))

    return [
        Selection(events[0].source(), tuple(e.detail_type() for e in events), fields[events[0]])
        for _, group in groupby(sorted(on, key=lambda e: (*kind(e), e.detail_type())), key=kind)
        for events in [list(group)]
    ]


def kinds_of(event: type[Event], field: str) -> frozenset[str]:
    """Return the JSON types of the values that a field of an event can have on the bus."""
    schema = event.model_json_schema(mode="serialization")
    return frozenset(_kinds(schema["properties"][field], schema.get("$defs", {})))


def nearest(name: str, event: type[Event]) -> str:
    """Return a sentence that suggests the field with the closest name."""
    return suggestion(name, event.model_fields, "Its fields are")


def _by_event(on: Sequence[type[Event]], where: Where) -> dict[type[Event], Fields]:
    named = [key for key in where if isinstance(key, type)]
    if not named:
        return dict.fromkeys(on, cast(Fields, where))
    if len(named) < len(where):
        raise BadFilter(
            "A filter has fields as keys, or events and then fields. This one mixes the two."
        )
    for event in named:
        if event not in on:
            raise BadFilter(f"The filter names {event.__name__}, which is not in `on`.")
    by_event = cast(Mapping[type[Event], Fields], where)
    return {event: by_event.get(event, {}) for event in on}


def _check(event: type[Event], name: str, test: Test) -> None:
    where = f"{event.__module__.replace('.', '/')}.py"
    if name not in event.model_fields:
        raise BadFilter(
            f"A filter names the field {name!r} of {event.__name__}, which has no such field. "
            f"{nearest(name, event)} See {where}."
        )
    kinds = kinds_of(event, name)
    if not test.kinds <= kinds:
        raise BadFilter(
            f"The filter {test.expression} on {name!r} of {event.__name__} can never match: the "
            f"field holds {_words(kinds)}. See {where}."
        )


def _kinds(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        yield from _kinds(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    for choice in [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]:
        yield from _kinds(choice, definitions)
    for value in [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]:
        yield _kind_of(value)
    match schema.get("type"):
        case "integer":
            yield "number"
        case "array":  # EventBridge looks for one element that passes
            yield from _kinds(schema.get("items", {}), definitions)
        case str(kind):
            yield kind


def _kind_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, Number) else "string"


def _exactly(value: str | bool | Number | None) -> Any:
    # Compared as text, 0 would not equal 0.0: compare numbers as numbers.
    return {"numeric": ["=", _plain(value)]} if _kind_of(value) == "number" else value


def _numeric(expression: str, *comparisons: str | Number) -> Test:
    """Return a condition of alternating comparison operators and numbers."""
    signs, numbers = comparisons[::2], comparisons[1::2]
    wanted = [each for pair in zip(signs, map(_plain, numbers), strict=True) for each in pair]
    return Test(expression, [{"numeric": wanted}], frozenset({"number"}))


def _plain(number: Any) -> int | float:
    if _kind_of(number) != "number":
        raise BadFilter(f"A filter compares with {number!r}, which is not a number.")
    if not abs(number) <= MAX_NUMBER:
        raise BadFilter(
            f"A filter compares with {number}, but EventBridge only compares numbers up to "
            f"{MAX_NUMBER:,}. Compare it in the handler instead."
        )
    return int(number) if number == int(number) else float(number)


def _words(kinds: frozenset[str]) -> str:
    return " or ".join(sorted(kinds)) or "nothing that a filter can see"
