"""The three files of a new consumer: its handler, its stack and its test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from patchbay.errors import UserError
from patchbay.events import filters
from patchbay.events.event import Event
from patchbay.events.filters import Test, kinds_of, nearest
from patchbay.templates.examples import code_of, expression, imports_for
from patchbay.templates.naming import Name
from patchbay.templates.render import render

MAX_SUMMARY = 72  # characters, so that its line stays within the project's


@dataclass(frozen=True)
class Condition:
    """A condition on one field, from the option `--where`, such as `celsius>=30`."""

    field: str
    sign: str
    text: str

    SIGNS = (">=", "<=", "=")

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Read FIELD=VALUE, FIELD>=NUMBER or FIELD<=NUMBER; raises UserError."""
        for sign in cls.SIGNS:
            name, found, value = text.partition(sign)
            if found and name.strip() and value.strip():
                return cls(name.strip(), sign, value.strip())
        raise UserError(
            f"--where {text!r} is not a condition: write FIELD=VALUE (or FIELD=ONE,OTHER), "
            "FIELD>=NUMBER or FIELD<=NUMBER."
        )

    def values(self, event: type[Event]) -> list[Any]:
        """Return the values to compare with, in the type of the event's field; raises UserError."""
        if self.field not in event.model_fields:
            raise UserError(
                f"{event.__name__} has no field {self.field!r}. {nearest(self.field, event)}"
            )
        kinds = kinds_of(event, self.field)
        texts = self.text.split(",") if self.sign == "=" else [self.text]
        return [self._value(text.strip(), kinds, event) for text in texts]

    def _value(self, text: str, kinds: frozenset[str], event: type[Event]) -> Any:
        if self.sign == "=" and "string" in kinds:
            return text
        if "boolean" in kinds and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if "number" in kinds:
            try:
                return int(text) if text.lstrip("-").isdigit() else float(text)
            except ValueError:
                pass
        raise UserError(
            f"--where {self.field}{self.sign}{self.text}: the field {self.field!r} of "
            f"{event.__name__} holds {' or '.join(sorted(kinds))}, so it would never match."
        )

    def code(self, event: type[Event]) -> str:
        """Return the condition as code for the stack."""
        values = self.values(event)
        if self.sign != "=":
            return f"{'at_least' if self.sign == '>=' else 'at_most'}({values[0]!r})"
        function = "equals" if len(values) == 1 else "one_of"
        return f"{function}({', '.join(map(repr, values))})"

    def test(self, event: type[Event]) -> Test:
        """Return the condition as a filter."""
        values = self.values(event)
        if self.sign != "=":
            return (filters.at_least if self.sign == ">=" else filters.at_most)(values[0])
        return filters.equals(values[0]) if len(values) == 1 else filters.one_of(*values)

    def failing(self, event: type[Event]) -> Any:
        """Return a value that does not match, or None if there is no simple one."""
        first, *others = self.values(event)
        if isinstance(first, bool):
            return not first if not others else None
        if isinstance(first, str):
            return f"{first}-other"
        everything = [first, *others]
        return min(everything) - 1 if self.sign != "<=" else first + 1


@dataclass(frozen=True)
class Consumer:
    """The options of a new consumer."""

    name: Name
    on: Sequence[type[Event]]
    where: Sequence[Condition] = ()
    ordered_by: str | None = None
    publishes: type[Event] | None = None
    matching: Mapping[type[Event], Mapping[str, Any]] = field(init=False)
    """The field values, by event, with which an event matches the filter."""

    def __post_init__(self) -> None:
        """Raises UserError where the events lack a field of the options."""
        fields = {
            event: {each.field: each.values(event)[0] for each in self.where} for event in self.on
        }
        object.__setattr__(self, "matching", fields)
        for event in self.on:
            filters.selections([event], {each.field: each.test(event) for each in self.where})
            if self.ordered_by and self.ordered_by not in event.model_fields:
                raise UserError(
                    f"{event.__name__} has no field {self.ordered_by!r} to be ordered by. "
                    f"{nearest(self.ordered_by, event)}"
                )


def files(consumer: Consumer) -> dict[Path, str]:
    """Return the content of each new file, by its path; raises UserError."""
    name, on = consumer.name, consumer.on
    tested = [code_of(event, consumer.matching[event]) for event in on]
    published = code_of(consumer.publishes) if consumer.publishes else None
    dropped = _dropped(consumer)
    every = [*on, *([consumer.publishes] if consumer.publishes else [])]
    code = [each.example for each in tested] + [published.example if published else "", dropped]
    values = {
        "service": name.service,
        "module": name.module,
        "class_name": name.class_name,
        "summary": _summary(on),
        "imports": "\n".join([*imports_for(code), *map(import_of, dict.fromkeys(every))]),
        "events": ", ".join(event.__name__ for event in on),
        "union": " | ".join(event.__name__ for event in on),
        "options": _options(consumer),
        "tested": tested,
        "where": bool(consumer.where),
        "dropped": dropped,
        "ordered_by": consumer.ordered_by,
        "publishes": published,
    }
    return {
        name.handler: render("consumer/handler.py", values),
        name.stack: render("consumer/stack.py", values),
        name.test: render("consumer/test.py", values),
    }


def import_of(event: type[Event]) -> str:
    """Return the line that imports an event."""
    return f"from {event.__module__} import {event.__name__}"


def _options(consumer: Consumer) -> list[str]:
    options = []
    if consumer.where:
        conditions = (f"{each.field!r}: {each.code(consumer.on[0])}" for each in consumer.where)
        options.append(f"where={{{', '.join(conditions)}}}")
    if consumer.ordered_by:
        options.append(f"ordered_by={consumer.ordered_by!r}")
    if consumer.publishes:
        options.append(f"publishes=[{consumer.publishes.__name__}]")
    return options


def _dropped(consumer: Consumer) -> str:
    """Return code that makes an event that the filter drops, or an empty string."""
    event = consumer.on[0]
    for condition in consumer.where:
        value = condition.failing(event)
        try:
            if value is not None:
                return expression(event, {**consumer.matching[event], condition.field: value})
        except UserError:
            continue
    return ""


def _summary(on: Sequence[type[Event]]) -> str:
    *others, last = [event.__name__ for event in on]
    names = f"{', '.join(others)} and {last}" if others else last
    summary = f"Handles {names}."
    return summary if len(summary) <= MAX_SUMMARY else f"Handles {len(on)} types of events."
