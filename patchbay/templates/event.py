"""The files of a new event: its contract, its JSON Schema and its test."""

import builtins
import json
import keyword
import re
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from patchbay.errors import UserError
from patchbay.events.compatibility import schema_of
from patchbay.events.event import Event
from patchbay.templates.examples import code_of, imports_for, in_words
from patchbay.templates.render import render

KINDS = {
    "str": None,
    "int": None,
    "float": None,
    "bool": None,
    "Decimal": "from decimal import Decimal",
    "date": "from datetime import date",
    "datetime": "from pydantic import AwareDatetime",
    "UUID": "from uuid import UUID",
}
_EVENT = re.compile(r"([A-Z][a-z0-9]+){2,}")
_MODULE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True)
class Field:
    """A field of a new event."""

    name: str
    kind: str

    @classmethod
    def parse(cls, text: str) -> "Field":
        """Read NAME or NAME:TYPE; raises UserError."""
        name, _, kind = text.partition(":")
        if not _MODULE.fullmatch(name) or keyword.iskeyword(name) or name in dir(Event):
            raise UserError(
                f"{name!r} can't be a field's name: use lower-case words joined by "
                "underscores, as in patient_id."
            )
        if (kind or "str") not in KINDS:
            raise UserError(f"--field {text}: there is no type {kind!r}: use {', '.join(KINDS)}.")
        return cls(name, kind or "str")


def module_of(name: str, service: str | None) -> str:
    """Return the module of contracts/ for an event; raises UserError.

    Without a service, it is the plural of the event's subject: appointments for AppointmentBooked.
    """
    words = in_words(name).split("_")
    module = service.replace("-", "_") if service else "_".join(words[:-1]) + "s"
    if not _MODULE.fullmatch(module) or keyword.iskeyword(module):
        raise UserError(
            f"{service!r} can't be a service's name: use lower-case words joined by hyphens."
        )
    return module


def check_name(name: str, known: Collection[str]) -> None:
    """Raise UserError where no new event can have that name."""
    if not _EVENT.fullmatch(name) or hasattr(builtins, name):
        raise UserError(
            f"{name!r} can't be an event's name: use two or more capitalized words that say "
            "what happened, as in AppointmentBooked."
        )
    if name in known:
        raise UserError(f"There is an event {name!r} already. Names of events are unique.")


def files(
    name: str, module: str, fields: Sequence[Field], namespace: str
) -> tuple[dict[Path, str], type[Event]]:
    """Return the content of each new file, by its path, and the event; raises UserError."""
    fields = fields or [Field(f"{in_words(name).rpartition('_')[0]}_id", "str")]
    contract = Path("contracts", f"{module}.py")
    values = {
        "name": name,
        "source": module.replace("_", "-"),
        "module": module,
        "summary": f"{in_words(name).replace('_', ' ').capitalize()}: say here what happened.",
        "in_words": in_words(name),
        "fields": [
            Field(each.name, "AwareDatetime" if each.kind == "datetime" else each.kind)
            for each in fields
        ],
        "imports": sorted({line for each in fields if (line := KINDS[each.kind])}),
    }
    text = render("event/contract.py", values)
    event = _event_from(text, name, module)
    schema = Path("contracts", "schemas", f"{namespace}.{module}.{name}.v{event.version}.json")
    test = Path("tests", "contracts", f"test_{module}.py")
    example = code_of(event).example
    imports = "\n".join(imports_for([example]))
    written = render("event/test.py", values | {"example": example, "imports": imports})
    return {
        contract: text,
        schema: json.dumps(schema_of(event), indent=2, sort_keys=True) + "\n",
        test: written,
    }, event


def _event_from(text: str, name: str, module: str) -> type[Event]:
    """Return the event that the text of a contract defines, before it is written to a file."""
    made = ModuleType(f"contracts.{module}")
    sys.modules[made.__name__] = made  # where pydantic looks up the names of types
    try:
        exec(text, vars(made))  # noqa: S102 (it was rendered from our template, with checked names)
    finally:
        del sys.modules[made.__name__]
    event: type[Event] = vars(made)[name]
    return event
