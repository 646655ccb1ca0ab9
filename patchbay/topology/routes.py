"""The table of routes: who may publish each event, and who consumes it, read from the templates."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from patchbay.events.catalogue import events
from patchbay.events.event import NAMESPACE, Event
from patchbay.project.naming import SYSTEM
from patchbay.topology.consumers import (
    ConsumerParts,
    actors,
    consumers,
    lets_through,
    looks_inside,
    role_of,
)
from patchbay.topology.template import Resource, Template, listed

# On AWS a PutEvents always carries both keys, which makes the second as strict as the first.
EXACT = ("StringEquals", "StringEqualsIfExists")
KEYS = ("events:source", "events:detail-type")


@dataclass(frozen=True)
class Publisher:
    """A function, or a state machine, that may publish an event."""

    service: str
    resource: Resource


@dataclass(frozen=True)
class Subscriber:
    """A consumer that is handed an event, and the rules that pass it."""

    service: str
    consumer: ConsumerParts
    rules: tuple[Resource, ...]
    filtered: bool
    """Whether its rules look into the event, so that it may get some and not all."""
    taps: bool
    """Whether it listens to whatever there is, and to this event as well."""

    @property
    def function(self) -> Resource:
        return self.consumer.function


@dataclass(frozen=True)
class Route:
    """One event's way."""

    event: type[Event]
    publishers: tuple[Publisher, ...]
    subscribers: tuple[Subscriber, ...]

    @property
    def owner(self) -> str:
        """The service whose event it is."""
        return owner(self.event.source())


def routes(
    templates: Mapping[str, Template], catalogue: Iterable[type[Event]] | None = None
) -> list[Route]:
    """The route of every event of the contracts, in their order."""
    return [
        Route(
            event,
            publishers=tuple(_publishers(templates, event)),
            subscribers=tuple(_subscribers(templates, event)),
        )
        for event in (events().values() if catalogue is None else catalogue)
    ]


def owner(source: str) -> str:
    """The service that alone may publish as this source: `shop.orders` is the orders service's."""
    return source.removeprefix(f"{NAMESPACE}.").replace("_", "-")


def service_of(resource: Resource) -> str:
    """The service to whose stack a resource belongs."""
    return resource.stack.removeprefix(f"{SYSTEM}-").partition("-")[2]


def may_publish(statement: Mapping[str, Any]) -> set[tuple[str, str]] | None:
    """The sources and types that a statement about PutEvents names; None if it is for any."""
    conditions = [statement.get("Condition", {}).get(operator, {}) for operator in EXACT]
    sources, types = (
        [value for condition in conditions for value in listed(condition.get(key, []))]
        for key in KEYS
    )
    if not sources or not types:
        return None
    return {(source, detail_type) for source in sources for detail_type in types}


def _publishers(templates: Mapping[str, Template], event: type[Event]) -> Iterator[Publisher]:
    address = (event.source(), event.detail_type())
    for template in templates.values():
        for actor in actors(template):
            allowed = [
                may_publish(grant.statement)
                for grant in template.grants()
                if grant.role == role_of(actor)
                and grant.statement["Effect"] == "Allow"
                and "events:PutEvents" in grant.actions
            ]
            if any(pairs is None or address in pairs for pairs in allowed):
                yield Publisher(service_of(actor), actor)


def _subscribers(templates: Mapping[str, Template], event: type[Event]) -> Iterator[Subscriber]:
    source, detail_type = event.source(), event.detail_type()
    for consumer in consumers(templates):
        passing = [rule for rule in consumer.rules if lets_through(rule, source, detail_type)]
        if passing:
            yield Subscriber(
                service_of(consumer.function),
                consumer,
                rules=tuple(passing),
                filtered=all(looks_inside(rule) for rule in passing),
                taps=all("detail-type" not in rule.properties["EventPattern"] for rule in passing),
            )
