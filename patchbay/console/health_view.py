"""The health as the console shows it: values for templates, and changes for the map's script."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from patchbay.console.drawing import fill, pace
from patchbay.operations.formatting import count, cut, duration, rate
from patchbay.operations.health.health import ConsumerHealth, State, SystemHealth

WORDS: Mapping[State, str] = {
    "well": "Well",
    "failing": "Failing",
    "behind": "Behind",
    "paused": "Paused",
    "dead": "Dead letters",
}
HUES = 8  # colours of connections in map.css
MOST_DEAD_LETTERS = 12  # drawn in a tray, at most
ANY = "*"


@dataclass(frozen=True)
class Port:
    """A port of the bus, from which connections start."""

    key: str
    title: str
    hue: int
    """0 for the port of all events."""
    events: tuple[str, ...] = ()


def ports(health: SystemHealth) -> list[Port]:
    """Return a port for each publishing service, in its colour, and one for all events.

    A source that consumers subscribe to and nobody publishes has a port too.
    """
    found = [
        Port(publisher.name, publisher.name, 1 + number % HUES, publisher.events)
        for number, publisher in enumerate(health.publishers)
    ]
    known = {port.key for port in found}
    unpublished = sorted(
        {subscription.port for subscription in health.subscriptions} - known - {ANY}
    )
    found += [Port(name, name, 1 + (len(found) + n) % HUES) for n, name in enumerate(unpublished)]
    if any(subscription.publisher is None for subscription in health.subscriptions):
        found.append(Port(ANY, "everything", 0))
    return found


def shape(health: SystemHealth) -> str:
    """Return a hash of the publishers, rules and consumers.

    When it changes, the page must be rendered again.
    """
    names = [consumer.name for consumer in health.consumers]
    drawn = repr((health.publishers, health.subscriptions, names))
    return sha256(drawn.encode()).hexdigest()[:16]


def connections(health: SystemHealth) -> list[dict[str, Any]]:
    """Return all connections, for the script that draws them."""
    hues = {port.key: port.hue for port in ports(health)}
    drawn = [
        {"from": subscription.port, "to": subscription.consumer, "hue": hues[subscription.port]}
        for subscription in health.subscriptions
    ]
    drawn += [
        {"from": publisher.name, "to": "", "hue": hues[publisher.name]}
        for publisher in health.publishers
    ]
    return drawn


def changes(health: SystemHealth) -> dict[str, Any]:
    """Return the values that the map's script updates: texts, fills and paces."""
    hues = {port.key: port.hue for port in ports(health)}
    return {
        "shape": shape(health),
        "at": f"{health.at:%H:%M:%S}",
        "consumers": {each.name: changes_of(each) for each in health.consumers},
        "publishers": {
            publisher.name: {"rate": rate(health.rates.get((publisher.name, "")))}
            for publisher in health.publishers
        },
        "recent_events": [
            {
                "at": f"{each.at:%H:%M:%S.%f}"[:-3],
                "type": cut(each.type, 60),
                "journey": cut(each.correlation_id, 80),
                "hue": hues.get(each.publisher or ANY, 0),
            }
            for each in health.recent_events
        ],
        "paces": {
            f"{port}>{consumer}": pace(per_second)
            for (port, consumer), per_second in health.rates.items()
        },
    }


def changes_of(consumer: ConsumerHealth) -> dict[str, Any]:
    """Return a consumer's health, formatted for its card."""
    return {
        "state": consumer.state,
        "fill": fill(consumer.queued),
        "dead_letters": min(consumer.dead, MOST_DEAD_LETTERS),
        "text": {
            "state": WORDS[consumer.state],
            "queued": count(consumer.queued),
            "waiting": count(consumer.waiting),
            "in_flight": count(consumer.in_flight),
            "oldest": duration(consumer.oldest),
            "rate": rate(consumer.per_second),
            "p95": duration(consumer.p95),
            "dead": count(consumer.dead),
            "last_error": cut(consumer.last_error or "") if consumer.state == "failing" else "",
        },
    }


def details(consumer: ConsumerHealth, health: SystemHealth) -> dict[str, Any]:
    """Return the values for the page of a consumer."""
    return {
        **changes_of(consumer),
        "name": consumer.name,
        "queue": consumer.queue,
        "log_group": consumer.log_group,
        "subscriptions": [
            subscription
            for subscription in health.subscriptions
            if subscription.consumer == consumer.name
        ],
        "failures": [
            {
                "at": f"{each.at:%H:%M:%S}",
                "type": cut(each.type, 60),
                "journey": each.correlation_id,
                "number": each.number,
                "reason": cut(each.reason or "", 500),
            }
            for each in reversed(consumer.failures)
        ],
    }
