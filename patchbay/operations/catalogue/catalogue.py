"""The catalogue of events: their fields, examples, publishers and consumers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from patchbay.errors import UserError
from patchbay.events.catalogue import event_named, events
from patchbay.events.compatibility import SCHEMAS, schema_of
from patchbay.events.event import Event
from patchbay.events.examples import NoExample, example
from patchbay.operations.catalogue.schema_fields import Field, fields_of
from patchbay.operations.clients import Clients
from patchbay.operations.templates import deployed_templates
from patchbay.project.naming import named
from patchbay.project.root import ROOT
from patchbay.topology.routes import Publisher, Route, Subscription, routes
from patchbay.topology.template import Template, read

SYNTHESIZED = ROOT / "cdk.out"


@dataclass(frozen=True)
class KnownEvent:
    """A type of event, as its contract and the templates describe it."""

    type: str
    source: str
    version: int
    versions: tuple[int, ...]
    """All versions with a committed schema: events of each may be in the archive."""

    description: str
    fields: tuple[Field, ...]
    schema: Mapping[str, Any]
    example: Mapping[str, Any] | None
    """Its data; None if none could be generated."""

    publishers: tuple[Publisher, ...] | None
    """None if no templates could be read."""

    subscriptions: tuple[Subscription, ...] | None
    """None if no templates could be read."""

    @property
    def to_publish(self) -> dict[str, Any]:
        """The example as input of `patchbay publish`."""
        return {"type": self.type, "data": self.example}


@dataclass(frozen=True)
class Catalogue:
    """All events, and the source of their publishers and consumers."""

    events: tuple[KnownEvent, ...]
    note: str | None = None
    """Why the publishers and consumers are not those that are deployed; None if they are."""

    def event(self, type: str) -> KnownEvent:
        """Return the event of that type; raises UserError with a suggestion."""
        wanted = contract(type).detail_type()
        return next(each for each in self.events if each.type == wanted)


def contract(name: str) -> type[Event]:
    """Return the contract of an event; raises UserError with a suggestion."""
    return event_named(name)


def catalogue(clients: Clients, stage: str, assembly: Path = SYNTHESIZED) -> Catalogue:
    """Return every event, with its publishers and subscriptions in a stage.

    If the stage is not deployed, or AWS does not answer, they are read from its last synth; without
    one, they are None.
    """
    try:
        return Catalogue(known_events(deployed_templates(clients, stage)))
    except UserError as failure:
        why = str(failure)
    except (BotoCoreError, ClientError) as error:
        why = f"The request to AWS failed: {error}"
    if templates := synthesized(stage, assembly):
        source = f"Publishers and consumers are those in {assembly.name}, from the last synth."
        return Catalogue(known_events(templates), f"{source} {why}")
    return Catalogue(known_events(None), f"Publishers and consumers are not known. {why}")


def synthesized(stage: str, assembly: Path) -> dict[str, Template]:
    """Read a stage's templates from a cloud assembly; returns none if it has none."""
    if not assembly.joinpath("manifest.json").exists():
        return {}
    found = read(assembly)
    return {name: found[name] for name in found if name.startswith(named(stage, ""))}


def known_events(templates: Mapping[str, Template] | None) -> tuple[KnownEvent, ...]:
    """Return every event of the contracts; without templates, its publishers are None."""
    if templates is None:
        return tuple(_known(event, None) for event in events().values())
    return tuple(_known(route.event, route) for route in routes(templates))


def as_json(event: KnownEvent) -> dict[str, Any]:
    """Return an event as JSON."""
    publishers, subscriptions = event.publishers, event.subscriptions
    return {
        "type": event.type,
        "source": event.source,
        "version": event.version,
        "versions": event.versions,
        "description": event.description,
        "fields": [asdict(field) for field in event.fields],
        "schema": event.schema,
        "example": event.to_publish if event.example else None,
        "publishers": None if publishers is None else [publisher_as_json(p) for p in publishers],
        "subscriptions": (
            None if subscriptions is None else [subscription_as_json(s) for s in subscriptions]
        ),
    }


def publisher_as_json(publisher: Publisher) -> dict[str, Any]:
    """Return a publisher as JSON."""
    return {"name": publisher.name, "service": publisher.service, "kind": publisher.kind}


def subscription_as_json(subscription: Subscription) -> dict[str, Any]:
    """Return a subscription as JSON."""
    return {
        "consumer": subscription.consumer,
        "service": subscription.service,
        "where": subscription.where,
        "takes_everything": subscription.takes_everything,
        "in_order": subscription.in_order,
    }


def _known(event: type[Event], route: Route | None) -> KnownEvent:
    schema = schema_of(event)
    return KnownEvent(
        type=event.detail_type(),
        source=event.source(),
        version=event.version,
        versions=_versions(event),
        description=event.__doc__ or "",
        fields=fields_of(schema),
        schema=schema,
        example=_example(event),
        publishers=route.publishers if route else None,
        subscriptions=route.subscriptions if route else None,
    )


def _versions(event: type[Event], folder: Path = SCHEMAS) -> tuple[int, ...]:
    name = f"{event.source()}.{event.detail_type()}.v"
    on_file = {int(path.stem.removeprefix(name)) for path in folder.glob(f"{name}*.json")}
    return tuple(sorted(on_file | {event.version}))


def _example(event: type[Event]) -> dict[str, Any] | None:
    try:
        return event.model_validate(example(event, complete=True)).model_dump(mode="json")
    except (NoExample, ValueError):
        return None  # its fields may depend on each other
