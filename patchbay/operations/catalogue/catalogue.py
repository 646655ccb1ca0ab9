"""The catalogue: every event, its fields, an example of it, who publishes and who consumes it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from patchbay.errors import UserError
from patchbay.events.catalogue import UnknownEvent, event_named, events
from patchbay.events.compatibility import SCHEMAS, schema_of
from patchbay.events.event import Event
from patchbay.events.examples import NoExample, example
from patchbay.operations.catalogue.schema_fields import Field, fields_of
from patchbay.operations.clients import Clients
from patchbay.operations.templates import Publisher, deployed_templates, publishers_of, short_name
from patchbay.project.naming import REPLAY_NAME, named
from patchbay.project.root import ROOT
from patchbay.topology.routes import Route, Subscriber, routes
from patchbay.topology.template import Resource, Template, plain, read

SYNTHESIZED = ROOT / "cdk.out"


@dataclass(frozen=True)
class Subscription:
    """A consumer of an event."""

    consumer: str
    service: str
    where: tuple[Mapping[str, Any], ...] = ()
    """What its rules ask of the event's fields, as EventBridge has it: one of these is enough."""

    taps: bool = False
    """Whether it listens to whatever there is."""

    @property
    def condition(self) -> str:
        """What its rules ask of the event's fields, in words; empty where they ask nothing."""
        return " or ".join(
            " and ".join(f"{field} {_said(tests)}" for field, tests in asked.items())
            for asked in self.where
        )


@dataclass(frozen=True)
class KnownEvent:
    """All that is known of a type of events."""

    type: str
    source: str
    version: int
    versions: tuple[int, ...]
    """All that have ever been promised, and so may be in the archive."""

    description: str
    fields: tuple[Field, ...]
    schema: Mapping[str, Any]
    example: Mapping[str, Any] | None
    """Its data; None where none could be made up."""

    publishers: tuple[Publisher, ...] | None
    """None where nobody could be asked."""

    consumers: tuple[Subscription, ...] | None
    """None where nobody could be asked."""

    @property
    def to_publish(self) -> dict[str, Any]:
        """The example as `patchbay publish` takes it."""
        return {"type": self.type, "data": self.example}


@dataclass(frozen=True)
class Catalogue:
    """Every event, and where it is known from who publishes and consumes it."""

    events: tuple[KnownEvent, ...]
    note: str | None = None
    """Why that is not what is deployed, if it is not."""

    def event(self, type: str) -> KnownEvent:
        """The event of that type; raises UserError, naming the nearest."""
        wanted = contract(type).detail_type()
        return next(each for each in self.events if each.type == wanted)


def contract(name: str) -> type[Event]:
    """The contract of an event; raises UserError, naming the nearest."""
    try:
        return event_named(name)
    except UnknownEvent as error:
        raise UserError(str(error)) from error


def catalogue(clients: Clients, stage: str, assembly: Path = SYNTHESIZED) -> Catalogue:
    """Every event, with who publishes and who consumes it in a stage.

    Where the stage is not deployed, or can't be asked, that is read from what was synthesized for
    it; where that is not there either, it stays open.
    """
    try:
        return Catalogue(known_events(deployed_templates(clients, stage), stage))
    except UserError as failure:
        why = str(failure)
    except (BotoCoreError, ClientError) as error:
        why = f"AWS could not be asked: {error}"
    if templates := synthesized(stage, assembly):
        here = f"Who publishes and consumes is as {assembly.name} has it, from the last synth."
        return Catalogue(known_events(templates, stage), f"{here} {why}")
    return Catalogue(known_events(None, stage), f"Who publishes and consumes is not known. {why}")


def synthesized(stage: str, assembly: Path) -> dict[str, Template]:
    """The templates of a stage in a cloud assembly; none where it was not synthesized."""
    if not assembly.joinpath("manifest.json").exists():
        return {}
    found = read(assembly)
    return {name: found[name] for name in found if name.startswith(named(stage, ""))}


def known_events(templates: Mapping[str, Template] | None, stage: str) -> tuple[KnownEvent, ...]:
    """Every event of the contracts; None for the templates leaves open who is concerned."""
    if templates is None:
        return tuple(_known(event, None, stage) for event in events().values())
    return tuple(_known(route.event, route, stage) for route in routes(templates))


def as_json(event: KnownEvent) -> dict[str, Any]:
    """An event, for machines."""
    return asdict(event) | {"example": event.to_publish if event.example else None}


def _known(event: type[Event], route: Route | None, stage: str) -> KnownEvent:
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
        publishers=tuple(publishers_of(route, stage)) if route else None,
        consumers=_subscriptions(route.subscribers, stage) if route else None,
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


def subscription(subscriber: Subscriber, stage: str) -> Subscription:
    """A consumer of an event, as the catalogue tells of it."""
    return Subscription(
        short_name(subscriber.function, stage),
        subscriber.service,
        where=tuple(_asked(rule) for rule in subscriber.rules) if subscriber.filtered else (),
        taps=subscriber.taps,
    )


def _subscriptions(subscribers: Sequence[Subscriber], stage: str) -> tuple[Subscription, ...]:
    found = [subscription(each, stage) for each in subscribers]
    return tuple(sorted(found, key=lambda each: each.consumer))


def _asked(rule: Resource) -> Mapping[str, Any]:
    """What a rule asks of an event's fields; of more, if it looks at more."""
    pattern = dict(plain(rule.properties["EventPattern"]))
    rest = {
        key: pattern[key] for key in pattern if key not in ("source", "detail-type", REPLAY_NAME)
    }
    match rest:
        case {"detail": {"data": dict(data), **metadata}, **others} if not metadata | others:
            return data
    return rest


def _said(tests: Any) -> str:
    """What is asked of a field: numbers in words, and the rest as EventBridge has it."""
    match tests:
        case [{"numeric": [*comparison]}]:
            pairs = zip(comparison[::2], comparison[1::2], strict=True)
            return " and ".join(f"{operator} {number}" for operator, number in pairs)
        case [str() | bool() as value]:
            return f"is {json.dumps(value)}"
    return f"matches {json.dumps(tests)}"
