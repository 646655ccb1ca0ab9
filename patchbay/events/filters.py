"""What a consumer wants of its events' fields: `where={"amount": at_least(100)}`.

EventBridge filters, so that what is not wanted costs nothing. A filter is held against the
contract when the app is synthesized: a field that an event does not have, or that can't hold such
a value, would let nothing through, for ever and unseen.
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
    """What is asked of a field."""

    said: str
    """As it stands in the stack."""

    pattern: Sequence[Any]
    """As EventBridge reads it: one of these."""

    kinds: frozenset[str]
    """The kinds of values that can pass, in JSON's words."""

    __test__ = False  # for pytest, it is no class of tests


Fields = Mapping[str, Test]
Where = Fields | Mapping[Any, Fields]
"""What is asked of the fields of all events, or of each event (a class) that it names."""


class BadFilter(UserError):
    """A filter that could not work: its field, or its value, is not the contract's."""


@dataclass(frozen=True)
class Selection:
    """The events of a source that one rule selects."""

    source: str
    types: tuple[str, ...]
    fields: Fields

    @property
    def detail(self) -> dict[str, Any] | None:
        """What the rule asks of the events' content."""
        wanted = {name: list(test.pattern) for name, test in self.fields.items()}
        return {"data": wanted} if wanted else None


def equals(value: str | bool | Number | None) -> Test:
    """Is just that."""
    return Test(f"equals({value!r})", [_exactly(value)], frozenset({_kind_of(value)}))


def one_of(*values: str | Number) -> Test:
    """Is one of these."""
    said = f"one_of({', '.join(map(repr, values))})"
    if not values:
        raise BadFilter(f"{said} lets nothing through: name what it may be.")
    return Test(said, [_exactly(each) for each in values], frozenset(map(_kind_of, values)))


def none_of(*texts: str) -> Test:
    """Is a text, and none of these."""
    said = f"none_of({', '.join(map(repr, texts))})"
    return Test(said, [{"anything-but": list(texts)}], frozenset({"string"}))


def prefix(text: str) -> Test:
    """Begins with that."""
    return Test(f"prefix({text!r})", [{"prefix": text}], frozenset({"string"}))


def suffix(text: str) -> Test:
    """Ends with that."""
    return Test(f"suffix({text!r})", [{"suffix": text}], frozenset({"string"}))


def at_least(number: Number) -> Test:
    """Is that or more."""
    return _numeric(f"at_least({number})", ">=", number)


def above(number: Number) -> Test:
    """Is more than that."""
    return _numeric(f"above({number})", ">", number)


def at_most(number: Number) -> Test:
    """Is that or less."""
    return _numeric(f"at_most({number})", "<=", number)


def below(number: Number) -> Test:
    """Is less than that."""
    return _numeric(f"below({number})", "<", number)


def between(low: Number, high: Number) -> Test:
    """Is one of the two, or between them."""
    if low >= high:
        raise BadFilter(f"between({low}, {high}) needs the lower number first, and two of them.")
    return _numeric(f"between({low}, {high})", ">=", low, "<=", high)


def missing() -> Test:
    """Is not given: the publisher leaves it out, or says null."""
    return Test("missing()", [None, {"exists": False}], frozenset({"null"}))


def selections(on: Sequence[type[Event]], where: Where | None) -> list[Selection]:
    """The events, by source and by what is asked of them; raises BadFilter.

    A rule for each source: one pattern for all would also pass one's type from another.
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
    """The kinds of values, in JSON's words, that a field of an event holds on the bus."""
    schema = event.model_json_schema(mode="serialization")
    return frozenset(_kinds(schema["properties"][field], schema.get("$defs", {})))


def nearest(name: str, event: type[Event]) -> str:
    """The field that was perhaps meant, in a sentence."""
    return suggestion(name, event.model_fields, "Its fields are")


def _by_event(on: Sequence[type[Event]], where: Where) -> dict[type[Event], Fields]:
    named = [key for key in where if isinstance(key, type)]
    if not named:
        return dict.fromkeys(on, cast(Fields, where))
    if len(named) < len(where):
        raise BadFilter("A filter is by field, or by event and then by field: this one is both.")
    for event in named:
        if event not in on:
            raise BadFilter(f"The filter names {event.__name__}, which is not in `on`.")
    by_event = cast(Mapping[type[Event], Fields], where)
    return {event: by_event.get(event, {}) for event in on}


def _check(event: type[Event], name: str, test: Test) -> None:
    where = f"{event.__module__.replace('.', '/')}.py"
    if name not in event.model_fields:
        raise BadFilter(
            f"A filter asks for {name!r} of {event.__name__}, which has no such field. "
            f"{nearest(name, event)} See {where}."
        )
    kinds = kinds_of(event, name)
    if not test.kinds <= kinds:
        raise BadFilter(
            f"A filter asks whether {name!r} of {event.__name__} is {test.said}: the field holds "
            f"{_words(kinds)}, so that nothing would ever pass. See {where}."
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
    # As it is written, 0 is not 0.0: numbers are compared as such.
    return {"numeric": ["=", _plain(value)]} if _kind_of(value) == "number" else value


def _numeric(said: str, *comparisons: str | Number) -> Test:
    """Of signs and numbers, in turn."""
    signs, numbers = comparisons[::2], comparisons[1::2]
    wanted = [each for pair in zip(signs, map(_plain, numbers), strict=True) for each in pair]
    return Test(said, [{"numeric": wanted}], frozenset({"number"}))


def _plain(number: Any) -> int | float:
    if _kind_of(number) != "number":
        raise BadFilter(f"A filter compares with {number!r}, which is no number.")
    if not abs(number) <= MAX_NUMBER:
        raise BadFilter(
            f"A filter compares with {number}, and EventBridge compares numbers up to "
            f"{MAX_NUMBER:,} only. Leave that to the handler."
        )
    return int(number) if number == int(number) else float(number)


def _words(kinds: frozenset[str]) -> str:
    return " or ".join(sorted(kinds)) or "nothing that a filter can see"
