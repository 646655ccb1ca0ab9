"""`patchbay add`: a new event, service, consumer or schedule, each with its test, in new files."""

from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from patchbay.errors import UserError
from patchbay.project.root import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patchbay.events.event import Event
    from patchbay.templates.naming import Name as ServiceName

USAGE = {
    "consumer": "make consumer NAME=alerts ON=ReadingTaken (several: ON=ReadingTaken,BedWatered)",
    "service": "make service NAME=sensors PUBLISHES=ReadingTaken",
    "event": "make event NAME=ReadingTaken",
    "schedule": 'make schedule NAME=nightly EVERY="cron(0 3 * * ? *)"',
}
BAD_USAGE = 2  # the exit code

Name = Annotated[str, typer.Argument(metavar="NAME", help="As in alerts or bed-alerts.")]
Publishes = Annotated[str | None, typer.Option(metavar="EVENT", help="An event that it publishes.")]

app = typer.Typer(help=__doc__, no_args_is_help=True, rich_markup_mode=None)


@app.command()
def event(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As in ReadingTaken.")],
    service: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Its publisher; by default from the event's name."),
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[:TYPE]", help="A field; may be repeated. A string by default."),
    ] = None,
) -> None:
    """Write a new event: its contract, its JSON Schema and its test.

    Example: patchbay add event ReadingTaken --field sensor_id --field celsius:float
    """
    from patchbay.events.catalogue import events
    from patchbay.project.project import project
    from patchbay.templates import event as templates

    with _exit_on_error("event", name):
        templates.check_name(name, events())
        module = templates.module_of(name, service)
        fields = [templates.Field.parse(each) for each in field or ()]
        new, _ = templates.files(name, module, fields, project().namespace)
        for path in new:
            if (ROOT / path).exists():
                raise UserError(
                    f"{path} exists already, and only new files are written. Add the class "
                    f"{name} to contracts/{module}.py, then run `make schemas`; or name another "
                    "--service."
                )
        _write("event", new)


@app.command()
def service(name: Name, publishes: Publishes = None) -> None:
    """Write a new service: its HTTP API, its outbox, its stack and its test.

    Example: patchbay add service sensors --publishes ReadingTaken
    """
    from patchbay.templates.naming import free_name
    from patchbay.templates.service import files

    with _exit_on_error("service", name, publishes):
        named = free_name(name, ROOT)
        _write("service", files(named, _published("service", publishes or "", named)))


@app.command()
def consumer(
    name: Name,
    on: Annotated[
        str, typer.Option(metavar="EVENT[,EVENT]", help="The events that it handles.")
    ] = "",
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=VALUE",
            help="Only events that match this; also >= and <=; may be repeated.",
        ),
    ] = None,
    ordered_by: Annotated[
        str | None,
        typer.Option(metavar="FIELD", help="Handle the events with the same FIELD in order."),
    ] = None,
    publishes: Publishes = None,
) -> None:
    """Write a new consumer: its handler, its stack and its test.

    Example: patchbay add consumer alerts --on ReadingTaken --where "celsius>=30"

    Example: patchbay add consumer watering --on ReadingTaken --ordered-by sensor_id
    """
    from patchbay.templates.consumer import Condition, Consumer, files
    from patchbay.templates.naming import check_length, free_name

    with _exit_on_error("consumer", name, on):
        parsed, subscribed = free_name(name, ROOT), _events("consumer", on)
        check_length(parsed, subscribed)
        new = Consumer(
            parsed,
            subscribed,
            where=[Condition.parse(each) for each in where or ()],
            ordered_by=ordered_by or None,
            publishes=_published("consumer", publishes, parsed) if publishes else None,
        )
        _write("consumer", files(new))


@app.command()
def schedule(
    name: Name,
    every: Annotated[
        str, typer.Option(metavar="TIMES", help="As in cron(0 3 * * ? *) or rate(5 minutes).")
    ] = "",
    publishes: Publishes = None,
) -> None:
    """Write a new service that runs on a schedule: its handler, its stack and its test.

    Example: patchbay add schedule nightly --every "cron(0 3 * * ? *)"
    """
    from patchbay.templates.naming import free_name
    from patchbay.templates.schedule import check_times, files

    with _exit_on_error("schedule", name, every):
        check_times(every)
        named = free_name(name, ROOT)
        published = _published("schedule", publishes, named) if publishes else None
        _write("schedule", files(named, every, published))


@contextmanager
def _exit_on_error(what: str, *required: str | None) -> "Iterator[None]":
    """Print an error on stderr, and exit with the code of wrong usage."""
    try:
        if not all(each and each.strip() for each in required):
            raise UserError(f"usage: {USAGE[what]}")
        yield
    except UserError as error:
        typer.echo(str(error), err=True)
    except OSError as error:
        typer.echo(f"The new {what} can't be written: {error}.", err=True)
    else:
        return
    raise typer.Exit(BAD_USAGE)


def _events(what: str, names: str) -> "list[type[Event]]":
    from patchbay.events.catalogue import event_named

    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if not wanted:
        raise UserError(f"usage: {USAGE[what]}")
    return [event_named(name) for name in dict.fromkeys(wanted)]


def _published(what: str, event: str, by: "ServiceName") -> "type[Event]":
    """Return the event; raises UserError if it belongs to another service."""
    found = _events(what, event)[0]
    owner = found.__module__.rpartition(".")[2]
    if owner != by.module:
        raise UserError(
            f"{found.__name__} is an event of the service {owner.replace('_', '-')}, because it is "
            f"in contracts/{owner}.py: {by.service} can't publish it. Give the service that name, "
            f"or add another event first: `patchbay add event NAME --service {by.service}`."
        )
    return found


def _write(what: str, new: Mapping[Path, str]) -> None:
    from patchbay.templates.render import tidy
    from patchbay.templates.writing import write

    write(tidy(new, ROOT), ROOT)
    _print(f"wrote {path}" for path in new)
    first = next(iter(new))
    _print(
        [
            "",
            f"Put your own {'fields' if what == 'event' else 'code'} into {first}. Then:",
            *(["  make schemas  records its fields"] if what == "event" else []),
            "  make test     checks all of it",
            "  make local    runs it, among the others",
        ]
    )


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)
