"""The files of a new service that takes requests over HTTP, and publishes an event for each."""

from pathlib import Path

from patchbay.events.event import Event
from patchbay.events.examples import example
from patchbay.templates.consumer import import_of
from patchbay.templates.naming import Name
from patchbay.templates.render import render

PARTS = ("api", "store", "outbox")


def files(name: Name, publishes: type[Event]) -> dict[Path, str]:
    """Return the content of each new file, by its path; raises UserError."""
    id_field = id_of(publishes)
    sent = {field: value for field, value in example(publishes).items() if field != id_field}
    values = {
        "service": name.service,
        "module": name.module,
        "class_name": name.class_name,
        "table_variable": f"{name.module.upper()}_TABLE",
        "imports": import_of(publishes),
        "event": publishes.__name__,
        "id_field": id_field,
        "sent": repr(sent),
    }
    folder = name.handler.parent
    return {folder / f"{part}.py": render(f"service/{part}.py", values) for part in PARTS} | {
        name.stack: render("service/stack.py", values),
        name.test: render("service/test.py", values),
    }


def id_of(event: type[Event]) -> str | None:
    """Return the string field that identifies the event's subject, or None."""
    for name, field in event.model_fields.items():
        if name.endswith("_id") and field.annotation is str:
            return name
    return None
