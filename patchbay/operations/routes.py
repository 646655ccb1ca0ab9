"""The routes of a deployed stage: the publishers of each event, and the consumers of it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from patchbay.operations.catalogue.catalogue import publisher_as_json, subscription_as_json
from patchbay.operations.clients import Clients
from patchbay.operations.templates import deployed_templates
from patchbay.topology.consumers import relays_to
from patchbay.topology.routes import Publisher, Route, short_name
from patchbay.topology.routes import routes as routes_in
from patchbay.topology.template import Resource, Template, texts

_STREAM = re.compile(r"stream/([\w.-]+)")


@dataclass(frozen=True)
class PublisherRoutes:
    """The routes of the events that one publisher may publish."""

    publisher: Publisher
    triggers: tuple[str, ...]
    """The streams and schedules that invoke it."""
    routes: tuple[Route, ...]


@dataclass(frozen=True)
class Routes:
    """All routes of a stage."""

    publishers: tuple[PublisherRoutes, ...]
    unpublished: tuple[Route, ...]
    """The routes of events without a publisher."""
    others: Mapping[str, tuple[str, ...]]
    """The streams and schedules of functions that publish nothing, by function."""

    @property
    def unconsumed(self) -> tuple[Route, ...]:
        """The routes of events whose only consumers are those that take every event."""
        found = {
            route.event.detail_type(): route for each in self.publishers for route in each.routes
        }
        return tuple(found[name] for name in sorted(found) if not found[name].own_subscriptions)

    def as_json(self) -> dict[str, Any]:
        """Return the routes as JSON."""
        return {
            "publishers": [
                {
                    **publisher_as_json(each.publisher),
                    "triggers": list(each.triggers),
                    "events": [_as_json(route) for route in each.routes],
                }
                for each in self.publishers
            ],
            "unpublished": [_as_json(route) for route in self.unpublished],
            "unconsumed": [route.event.detail_type() for route in self.unconsumed],
            "others": {name: list(triggers) for name, triggers in self.others.items()},
        }


def routes(clients: Clients, stage: str) -> Routes:
    """Return the routes of a stage; raises UserError if it is not deployed."""
    return routes_of(deployed_templates(clients, stage), stage)


def routes_of(templates: Mapping[str, Template], stage: str) -> Routes:
    """Return the routes in a stage's templates."""
    triggers: dict[str, list[str]] = defaultdict(list)
    for name, trigger in _triggers(templates, stage):
        triggers[name].append(trigger)
    routes: dict[str, list[Route]] = defaultdict(list)
    publishers = {}
    unpublished = []
    for route in routes_in(templates):
        for publisher in route.publishers:
            publishers[publisher.name] = publisher
            routes[publisher.name].append(route)
        if not route.publishers:
            unpublished.append(route)
    return Routes(
        tuple(
            PublisherRoutes(publisher, tuple(triggers.get(name, ())), tuple(routes[name]))
            for name, publisher in sorted(publishers.items())
        ),
        tuple(unpublished),
        {name: tuple(triggers[name]) for name in sorted(triggers) if name not in publishers},
    )


def _triggers(templates: Mapping[str, Template], stage: str) -> Iterator[tuple[str, str]]:
    """Yield each function's name with a stream or a schedule that invokes it."""
    for template in templates.values():
        for mapping in template.all("Lambda::EventSourceMapping"):
            function = template.find(mapping.properties.get("FunctionName"))
            source = mapping.properties.get("EventSourceArn")
            if function and not relays_to(function) and (read := _stream(template, source, stage)):
                yield short_name(function), read
        for schedule in template.all("Scheduler::Schedule"):
            function = template.find(schedule.properties["Target"]["Arn"])
            if function:
                yield short_name(function), _schedule(schedule)


def _stream(template: Template, arn: Any, stage: str) -> str | None:
    """Return a stream's name in words, from its ARN; None if the ARN is a queue's."""
    source = template.find(arn)
    if source and source.kind == "DynamoDB::Table":
        return f"changes of table {short_name(source)}"
    if source and source.kind == "Kinesis::Stream":
        return f"stream {short_name(source)}"
    if source is None and (named := _STREAM.search("".join(texts(arn)))):
        return f"stream {named[1].split(f'-{stage}-', 1)[-1]}"
    return None


def _schedule(schedule: Resource) -> str:
    expression = schedule.properties["ScheduleExpression"]
    zone = schedule.properties.get("ScheduleExpressionTimezone", "UTC")
    return f"schedule {expression} {zone}"


def _as_json(route: Route) -> dict[str, Any]:
    return {
        "type": route.event.detail_type(),
        "source": route.event.source(),
        "subscriptions": [subscription_as_json(each) for each in route.subscriptions],
    }
