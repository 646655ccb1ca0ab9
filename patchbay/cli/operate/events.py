"""`patchbay events`."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from patchbay.cli.options import Json, Stage
from patchbay.operations.clients import Environment

if TYPE_CHECKING:
    from patchbay.operations.catalogue.catalogue import Catalogue, KnownEvent
    from patchbay.topology.routes import Publisher, Subscription

T = TypeVar("T")


def events(
    type: Annotated[
        str | None, typer.Argument(metavar="[TYPE]", help="Show this event in full.")
    ] = None,
    stage: Stage = "dev",
    as_json: Json = False,
) -> None:
    """List every event: its fields, an example, its publishers and its consumers.

    The fields and the example come from the contracts, without credentials. The publishers and
    consumers come from the deployed stage or, if there is none, from its last synth.

    Example: patchbay events ReadingTaken --stage local
    """
    from patchbay.operations.catalogue.catalogue import as_json as for_machines
    from patchbay.operations.catalogue.catalogue import catalogue, contract

    if type:
        contract(type)  # raises UserError for an unknown event, before any request to AWS
    known = catalogue(Environment(), stage)
    one = known.event(type) if type else None
    if as_json:
        data = for_machines(one) if one else [for_machines(event) for event in known.events]
        print(json.dumps(data, indent=2))
    else:
        Console().print(_in_full(one) if one else _listed(known))
    if known.note:
        Console(stderr=True).print(Text(known.note, style="dim"))


def _listed(known: "Catalogue") -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("event", "source", "version", "published by", "consumed by"):
        table.add_column(column, no_wrap=column == "event")
    for event in known.events:
        table.add_row(
            Text(event.type, style="bold cyan"),
            Text(event.source),
            Text(str(event.version)),
            _names(event.publishers, lambda each: each.name),
            _names(event.subscriptions, lambda each: each.consumer),
        )
    return table


def _in_full(event: "KnownEvent") -> Group:
    title = Text.assemble(
        (event.type, "bold cyan"), f"  version {event.version}, from {event.source}"
    )
    return Group(
        title,
        Text(event.description),
        Text(),
        _fields(event),
        Text(),
        Text("Published by ", style="dim").append_text(_names(event.publishers, _publisher)),
        Text("Consumed by  ", style="dim").append_text(_names(event.subscriptions, _consumer)),
        Text(),
        Text("For example, as `patchbay publish` takes it:", style="dim"),
        Text(json.dumps(event.to_publish, indent=2) if event.example else "(none was generated)"),
    )


def _fields(event: "KnownEvent") -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("field", "type", "", ""):
        table.add_column(column)
    for field in event.fields:
        about = Text(". ".join(filter(None, [field.limits, field.description])))
        table.add_row(
            Text(field.name, style="bold"),
            Text(field.type),
            Text("required" if field.required else "optional", style="dim"),
            about,
        )
    return table


def _publisher(publisher: "Publisher") -> str:
    return f"{publisher.name} ({publisher.kind})"


def _consumer(subscription: "Subscription") -> str:
    condition = f"where {subscription.condition}" if subscription.condition else ""
    filtered = condition or ("every event" if subscription.takes_everything else "")
    return f"{subscription.consumer} ({filtered})" if filtered else subscription.consumer


def _names(items: Sequence[T] | None, render: Callable[[T], str]) -> Text:
    """Render the items' names; "not known" for None, if they could not be read."""
    if items is None:
        return Text("not known", style="dim")
    return Text(", ".join(map(render, items))) if items else Text("nobody", style="yellow")
