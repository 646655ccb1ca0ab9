"""The files of a new service that runs at certain times."""

import re
from pathlib import Path

from patchbay.errors import UserError
from patchbay.events.event import Event
from patchbay.templates.consumer import import_of
from patchbay.templates.examples import code_of, imports_for
from patchbay.templates.naming import Name
from patchbay.templates.render import render

_TIMES = re.compile(
    r"cron\([^()\"\\\n_]+( [^()\"\\\n_ ]+){5}\)|rate\([1-9]\d* (minute|hour|day)s?\)"
)


def check_times(every: str) -> None:
    """Raise UserError for an invalid expression; the synth checks it in full."""
    if not _TIMES.fullmatch(every):
        raise UserError(
            f"{every!r} is not a schedule: write cron(0 3 * * ? *), with its six fields, or "
            "rate(5 minutes)."
        )


def files(name: Name, every: str, publishes: type[Event] | None = None) -> dict[Path, str]:
    """Return the content of each new file, by its path; raises UserError."""
    published = code_of(publishes) if publishes else None
    imports = imports_for([published.example]) if published else []
    values = {
        "service": name.service,
        "module": name.module,
        "class_name": name.class_name,
        "every": every,
        "imports": "\n".join([*imports, *([import_of(publishes)] if publishes else [])]),
        "publishes": published,
    }
    return {
        name.handler.parent / "run.py": render("schedule/handler.py", values),
        name.stack: render("schedule/stack.py", values),
        name.test: render("schedule/test.py", values),
    }
