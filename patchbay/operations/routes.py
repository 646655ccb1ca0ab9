"""Who publishes what, and who gets it: as the templates of what is deployed have it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from patchbay.operations.catalogue.catalogue import Subscription, subscription
from patchbay.operations.clients import Clients
from patchbay.operations.templates import deployed_templates, publishers_of, short_name
from patchbay.topology.consumers import relays_to
from patchbay.topology.routes import Subscriber
from patchbay.topology.routes import routes as routes_in
from patchbay.topology.template import Resource, Template, texts

_STREAM = re.compile(r"stream/([\w.-]+)")


@dataclass(frozen=True)
class Listener:
    """A consumer that is given an event."""

    subscription: Subscription
    ordered: bool
    """Whether a relay puts what it is given in order, in a FIFO queue."""


@dataclass(frozen=True)
class Outlet:
    """An event that somebody publishes."""

    type: str
    source: str
    listeners: tuple[Listener, ...]

    @property
    def taps(self) -> tuple[Listener, ...]:
        """Those who listen to whatever there is."""
        return tuple(each for each in self.listeners if each.subscription.taps)

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens to it in particular."""
        return len(self.taps) < len(self.listeners)


@dataclass(frozen=True)
class Producer:
    """A function, or a state machine, that may publish."""

    name: str
    service: str
    kind: str
    starts: tuple[str, ...]
    """What sets it going, where that is neither a queue nor a request: a stream, or a schedule."""
    outlets: tuple[Outlet, ...]


@dataclass(frozen=True)
class Routes:
    """All ways of all events."""

    producers: tuple[Producer, ...]
    unpublished: tuple[Outlet, ...]
    """Events that nobody may publish."""
    others: Mapping[str, tuple[str, ...]]
    """What sets those functions going that publish nothing: a stream, or a schedule."""

    @property
    def unheard(self) -> tuple[Outlet, ...]:
        """Events to which nobody listens in particular."""
        found = {each.type: each for producer in self.producers for each in producer.outlets}
        return tuple(found[name] for name in sorted(found) if not found[name].is_heard)

    def as_json(self) -> dict[str, Any]:
        """All of it, for machines."""
        return {
            "producers": [
                {
                    **asdict(producer),
                    "outlets": [_as_json(outlet) for outlet in producer.outlets],
                }
                for producer in self.producers
            ],
            "unpublished": [_as_json(outlet) for outlet in self.unpublished],
            "heard_by_taps_only": [outlet.type for outlet in self.unheard],
            "others": {name: list(starts) for name, starts in self.others.items()},
        }


def routes(clients: Clients, stage: str) -> Routes:
    """The routes of a stage; raises UserError where it is not deployed."""
    return routes_of(deployed_templates(clients, stage), stage)


def routes_of(templates: Mapping[str, Template], stage: str) -> Routes:
    """The routes in these templates."""
    starts: dict[str, list[str]] = defaultdict(list)
    for name, start in _starts(templates, stage):
        starts[name].append(start)
    outlets: dict[str, list[Outlet]] = defaultdict(list)
    publishers = {}
    unpublished = []
    for route in routes_in(templates):
        outlet = Outlet(
            route.event.detail_type(),
            route.event.source(),
            tuple(
                sorted(
                    (_listener(each, stage) for each in route.subscribers),
                    key=lambda each: each.subscription.consumer,
                )
            ),
        )
        found = publishers_of(route, stage)
        for publisher in found:
            publishers[publisher.name] = publisher
            outlets[publisher.name].append(outlet)
        if not found:
            unpublished.append(outlet)
    return Routes(
        tuple(
            Producer(
                name, each.service, each.kind, tuple(starts.get(name, ())), tuple(outlets[name])
            )
            for name, each in sorted(publishers.items())
        ),
        tuple(unpublished),
        {name: tuple(starts[name]) for name in sorted(starts) if name not in publishers},
    )


def _listener(subscriber: Subscriber, stage: str) -> Listener:
    parts = subscriber.consumer
    return Listener(subscription(subscriber, stage), ordered=parts.intake != parts.queue)


def _starts(templates: Mapping[str, Template], stage: str) -> Iterator[tuple[str, str]]:
    """What sets a function going, by the function's name."""
    for template in templates.values():
        for mapping in template.all("Lambda::EventSourceMapping"):
            function = template.find(mapping.properties.get("FunctionName"))
            source = mapping.properties.get("EventSourceArn")
            if function and not relays_to(function) and (read := _stream(template, source, stage)):
                yield short_name(function, stage), read
        for schedule in template.all("Scheduler::Schedule"):
            function = template.find(schedule.properties["Target"]["Arn"])
            if function:
                yield short_name(function, stage), _schedule(schedule)


def _stream(template: Template, arn: Any, stage: str) -> str | None:
    """The stream that is read, in words; None where it is a queue."""
    source = template.find(arn)
    if source and source.kind == "DynamoDB::Table":
        return f"changes of table {short_name(source, stage)}"
    if source and source.kind == "Kinesis::Stream":
        return f"stream {short_name(source, stage)}"
    if source is None and (named := _STREAM.search("".join(texts(arn)))):
        return f"stream {named[1].split(f'-{stage}-', 1)[-1]}"
    return None


def _schedule(schedule: Resource) -> str:
    expression = schedule.properties["ScheduleExpression"]
    zone = schedule.properties.get("ScheduleExpressionTimezone", "UTC")
    return f"schedule {expression} {zone}"


def _as_json(outlet: Outlet) -> dict[str, Any]:
    return {
        "type": outlet.type,
        "source": outlet.source,
        "consumers": [
            asdict(each.subscription) | {"ordered": each.ordered} for each in outlet.listeners
        ],
    }
