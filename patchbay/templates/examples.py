"""An event as code: the expression that makes one, for a generated handler or test."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from patchbay.errors import UserError
from patchbay.events.event import Event
from patchbay.events.examples import example


@dataclass(frozen=True)
class EventCode:
    """The names of an event in the templates."""

    name: str
    in_words: str
    """The name in a test's name: appointment_booked."""
    example: str
    """The expression `AppointmentBooked(appointment_id="appointment-1")`."""


def code_of(event: type[Event], fields: Mapping[str, Any] | None = None) -> EventCode:
    """Return the event's names and an expression with the given fields; raises UserError."""
    return EventCode(event.__name__, in_words(event.__name__), expression(event, fields))


def expression(event: type[Event], fields: Mapping[str, Any] | None = None) -> str:
    """Return an expression that makes an event with the given fields; raises UserError."""
    values = example(event) | dict(fields or {})
    try:
        made = event.model_validate(values)
    except ValidationError as error:
        (first, *_) = error.errors()
        raise UserError(
            f"No {event.__name__} has {', '.join(f'{k}={v!r}' for k, v in (fields or {}).items())}"
            f": {'.'.join(map(str, first['loc']))}: {first['msg']}."
        ) from error
    # The validated values, so that the code has the right types for the type checker.
    arguments = (f"{name}={_literal(getattr(made, name), value)}" for name, value in values.items())
    return f"{event.__name__}({', '.join(arguments)})"


def imports_for(expressions: Sequence[str]) -> list[str]:
    """Return the imports that these expressions need, besides the events."""
    text = "\n".join(expressions)
    needed = {
        r"\bDecimal\(": "from decimal import Decimal",
        r"\bdatetime\.": "from datetime import datetime",
        r"\bdate\.": "from datetime import date",
        r"\bUUID\(": "from uuid import UUID",
    }
    return [line for pattern, line in needed.items() if re.search(pattern, text)]


def in_words(name: str) -> str:
    """Return AppointmentBooked as appointment_booked."""
    return re.sub(r"(?<=.)([A-Z])", r"_\1", name).lower()


def _literal(value: Any, given: Any) -> str:
    match value:
        case Decimal():
            return f'Decimal("{value}")'
        case datetime():
            return f'datetime.fromisoformat("{value.isoformat()}")'
        case date():
            return f'date.fromisoformat("{value.isoformat()}")'
        case UUID():
            return f'UUID("{value}")'
    return repr(given)
