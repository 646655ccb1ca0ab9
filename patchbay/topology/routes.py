"""Routes: who may publish each event, and which consumers subscribe to it, read from templates.

The templates are those of a cloud assembly (`template.read`) or of a live account
(`patchbay.operations.templates`).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from patchbay.events.catalogue import events
from patchbay.events.event import Event, namespace
from patchbay.project.naming import parsed
from patchbay.topology.consumers import ConsumerResources, actors, consumers, role_of
from patchbay.topology.rules import Rule, rule_of
from patchbay.topology.template import Resource, Template, listed

# On AWS a PutEvents always carries both keys, which makes the second as strict as the first.
EXACT = ("StringEquals", "StringEqualsIfExists")
KEYS = ("events:source", "events:detail-type")


@dataclass(frozen=True)
class Publisher:
    """A function or a state machine that may publish an event."""

    name: str
    """Its physical name without system and stage, such as `sensors-outbox`."""
    service: str
    kind: Literal["function", "workflow"]
    resource: Resource


@dataclass(frozen=True)
class Subscription:
    """The rules that give a consumer events of one type."""

    consumer: str
    service: str
    rules: tuple[Rule, ...]
    resources: ConsumerResources

    @property
    def function(self) -> Resource:
        """The consumer's function."""
        return self.resources.function

    @property
    def in_order(self) -> bool:
        """True if a relay puts the events in order, in a FIFO queue."""
        return self.resources.intake != self.resources.queue

    @property
    def is_filtered(self) -> bool:
        """True if the consumer receives only the events whose content its rules accept."""
        return all(rule.is_filtered for rule in self.rules)

    @property
    def takes_everything(self) -> bool:
        """True if the consumer subscribes to all events, not to this type."""
        return all(rule.takes_everything for rule in self.rules)

    @property
    def where(self) -> tuple[Mapping[str, Any], ...]:
        """The filters on the event's fields, in EventBridge's terms: one must match."""
        return tuple(rule.where for rule in self.rules) if self.is_filtered else ()

    @property
    def condition(self) -> str:
        """The filters in words; empty where there is none."""
        return in_words(self.where)


@dataclass(frozen=True)
class Route:
    """One type of event, with its publishers and subscriptions."""

    event: type[Event]
    publishers: tuple[Publisher, ...]
    subscriptions: tuple[Subscription, ...]

    @property
    def owner(self) -> str:
        """The service that owns the event."""
        return owner(self.event.source())

    @property
    def own_subscriptions(self) -> tuple[Subscription, ...]:
        """The subscriptions to this type; those that take everything are left out."""
        return tuple(each for each in self.subscriptions if not each.takes_everything)


def routes(
    templates: Mapping[str, Template], catalogue: Iterable[type[Event]] | None = None
) -> list[Route]:
    """Return the route of every event of the contracts, in their order."""
    return [
        Route(
            event,
            publishers=tuple(sorted(_publishers(templates, event), key=lambda each: each.name)),
            subscriptions=tuple(
                sorted(_subscriptions(templates, event), key=lambda each: each.consumer)
            ),
        )
        for event in (events().values() if catalogue is None else catalogue)
    ]


def owner(source: str) -> str:
    """Return the service that alone may publish as a source: `greenhouse.notes` is of `notes`."""
    return source.removeprefix(f"{namespace()}.").replace("_", "-")


def service_of(resource: Resource) -> str:
    """Return the service to whose stack a resource belongs."""
    return _without_prefix(resource.stack)


def may_publish(statement: Mapping[str, Any]) -> set[tuple[str, str]] | None:
    """Return the sources and types that a statement about PutEvents names; None if for any."""
    conditions = [statement.get("Condition", {}).get(operator, {}) for operator in EXACT]
    sources, types = (
        [value for condition in conditions for value in listed(condition.get(key, []))]
        for key in KEYS
    )
    if not sources or not types:
        return None
    return {(source, detail_type) for source in sources for detail_type in types}


def short_name(resource: Resource) -> str:
    """Return a resource's physical name without system and stage."""
    return _without_prefix(resource.name)


def in_words(where: Iterable[Mapping[str, Any]]) -> str:
    """Return filters in words, such as `celsius > 30 or bed is "north"`."""
    return " or ".join(
        " and ".join(f"{field} {_in_words(tests)}" for field, tests in each.items())
        for each in where
    )


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
                kind: Literal["function", "workflow"] = (
                    "function" if actor.kind == "Lambda::Function" else "workflow"
                )
                yield Publisher(short_name(actor), service_of(actor), kind, actor)


def _subscriptions(templates: Mapping[str, Template], event: type[Event]) -> Iterator[Subscription]:
    source, detail_type = event.source(), event.detail_type()
    for consumer in consumers(templates):
        rules = [rule for rule in map(rule_of, consumer.rules) if rule]
        passing = tuple(rule for rule in rules if rule.lets_through(source, detail_type))
        if passing:
            function = consumer.function
            yield Subscription(short_name(function), service_of(function), passing, consumer)


def _without_prefix(name: str) -> str:
    found = parsed(name)
    return found[1] if found else name


def _in_words(tests: Any) -> str:
    """Return the tests of a field: numbers in words, and the rest in EventBridge's terms."""
    match tests:
        case [{"numeric": [*comparison]}]:
            pairs = zip(comparison[::2], comparison[1::2], strict=True)
            return " and ".join(f"{operator} {number}" for operator, number in pairs)
        case [str() | bool() as value]:
            return f"is {json.dumps(value)}"
    return f"matches {json.dumps(tests)}"
