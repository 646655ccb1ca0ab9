"""The subscriptions of each consumer: by its handler's annotation, its rules, its deliveries."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from patchbay.events.catalogue import events as catalogue
from patchbay.events.event import AnyEvent, Event
from patchbay.testkit.aws.function import CONSUMER, CONSUMER_NAME, MEMORY, Function, code_of
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.history import Published
from patchbay.testkit.running.code import entered
from patchbay.testkit.templates import Templates
from patchbay.topology.consumers import consumers
from patchbay.topology.routes import routes
from patchbay.topology.rules import rule_of
from patchbay.topology.template import Template

Address = tuple[str, str]
"""An event's source and detail-type."""


def annotated(function: Function) -> set[Address]:
    """Return the events that a consumer's handler takes. Raise InitFailed if it does not load."""
    events = _taken(function)
    if AnyEvent.detail_type() in events:
        events = catalogue()
    return {(event.source(), event.detail_type()) for event in events.values()}


def _taken(function: Function) -> dict[str, type[Event]]:
    """Return the events in the annotation of a handler, by their types."""
    code = code_of(function)
    messaging: Any = code.modules[CONSUMER]
    with entered(code):
        events: dict[str, type[Event]] = messaging.subscriptions(code.handler.__wrapped__)  # type: ignore[attr-defined]
    return events


def address(event: type[Event]) -> Address:
    """Return an event's source and detail-type."""
    return event.source(), event.detail_type()


def receivers(cloud: Cloud, event: Published) -> set[str]:
    """Return the consumers into whose queues an event was delivered."""
    queues = {delivery.queue for delivery in event.deliveries}
    return {name for name in cloud.consumers if cloud.queue(name).name in queues}


@cache
def takers(templates: Templates) -> dict[str, set[Address]]:
    """Return the events that each consumer's handler takes, by its name."""
    return {
        function.short_name: annotated(function)
        for function in templates.functions.values()
        if CONSUMER_NAME in function.environment
    }


def routed(templates: Templates) -> dict[str, set[Address]]:
    """Return the events that each consumer's rules let through, by its name."""
    found: dict[str, set[Address]] = {}
    for route in routes(_read(templates)):
        for subscription in route.subscriptions:
            found.setdefault(subscription.consumer, set()).add(address(route.event))
    return found


def filtering(templates: Templates, event: type[Event]) -> set[str]:
    """Return the consumers whose rules filter these events by their content."""
    return {
        subscription.consumer
        for route in routes(_read(templates), [event])
        for subscription in route.subscriptions
        if subscription.is_filtered
    }


def due_to(cloud: Cloud, templates: Templates, consumer: str) -> set[str]:
    """Return the ids of the published events that a consumer must have handled in the end.

    They are those that its handler takes; if its rules filter, only those that were delivered.
    """
    queues = (cloud.queue(consumer).name, cloud.intake(consumer).name)
    taken, filters = takers(templates)[consumer], consumer in _filtered(templates)
    return {
        event.id
        for event in cloud.published()
        if (event.source, event.type) in taken
        and (not filters or any(delivery.queue in queues for delivery in event.deliveries))
    }


@cache
def _filtered(templates: Templates) -> set[str]:
    """Return the consumers with a rule that filters by an event's content."""
    return {
        resources.name
        for resources in consumers(_read(templates))
        for rule in map(rule_of, resources.rules)
        if rule and rule.is_filtered
    }


@cache
def _read(templates: Templates) -> dict[str, Template]:
    return {stack: Template(stack, body) for stack, body in templates.bodies.items()}


def is_marked_idempotent(function: Function) -> bool:
    """Return whether its handler is marked as naturally idempotent. Raise InitFailed."""
    code = code_of(function)
    return hasattr(code.handler, "naturally_idempotent")


def mismatches(templates: Templates, routed: dict[str, set[Address]]) -> Iterator[str]:
    """Yield a sentence for each difference between a handler's annotation and its stack.

    `routed` are the events that each consumer's rules let through, by its name.
    """
    for function in templates.functions.values():
        if function.short_name not in routed:
            continue
        if is_marked_idempotent(function) == (MEMORY in function.environment):
            yield (
                f"Only one of the handler and the stack of {function.short_name} declares it "
                "naturally idempotent: declare it in both, or in neither."
            )
        taken, given = annotated(function), routed[function.short_name]
        for source, detail_type in sorted(taken - given):
            yield (
                f"The handler of {function.short_name} takes {detail_type} from {source}, but no "
                "rule lets it through: add it to `on=` in its stack."
            )
        for source, detail_type in sorted(given - taken):
            yield (
                f"{function.short_name} receives {detail_type} from {source}, but its handler does "
                "not take it: add it to the annotation, or remove it from `on=` in its stack."
            )
