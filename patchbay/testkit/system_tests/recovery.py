"""Tests of recovery: events that failed, or could not be delivered, can be redriven."""

from patchbay.events.event import Event
from patchbay.events.examples import example
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.faults import Raises, Undeliverable
from patchbay.testkit.subscriptions import address, filtering, takers
from patchbay.testkit.templates import Templates


def test_dead_letters_can_be_redriven(
    event: type[Event], cloud: Cloud, templates: Templates
) -> None:
    """Make each consumer of an event fail until it is a dead letter, and redrive it."""
    consumers = _consumers(cloud, event, templates)
    for consumer in consumers:
        cloud.break_(consumer, with_=Raises(RuntimeError))
    event_id = cloud.publish(event(**example(event)))
    cloud.settle()
    for consumer in consumers:
        dead = cloud.dead_letters(consumer).causes
        assert event_id in dead, (
            f"{consumer} failed on {event.__name__}, but it is not among its dead letters:\n"
            f"{cloud.history()}"
        )
        cloud.mend(consumer)
        assert cloud.redrive(consumer) >= 1
    cloud.settle()
    _each_has_received(cloud, event_id, consumers)


def test_undelivered_events_can_be_redriven(
    event: type[Event], cloud: Cloud, templates: Templates
) -> None:
    """Make EventBridge fail to deliver an event to each of its consumers, and redrive it."""
    consumers = _consumers(cloud, event, templates)
    for consumer in consumers:
        cloud.break_(consumer, with_=Undeliverable())
    event_id = cloud.publish(event(**example(event)))
    cloud.settle()
    for consumer in consumers:
        assert event_id in cloud.undelivered(consumer).causes, (
            f"{event.__name__} was not delivered to {consumer}, and is lost:\n{cloud.history()}"
        )
        cloud.mend(consumer)
        assert cloud.redrive(consumer) >= 1
    cloud.settle()
    _each_has_received(cloud, event_id, consumers)


def _consumers(cloud: Cloud, event: type[Event], templates: Templates) -> list[str]:
    """Return the consumers that always receive an example of an event, without a filter."""
    takes = {name for name, taken in takers(templates).items() if address(event) in taken}
    return sorted(takes & set(cloud.consumers) - filtering(templates, event))


def _each_has_received(cloud: Cloud, event_id: str, consumers: list[str]) -> None:
    """Assert that each consumer has handled an event, or has rejected it with a reason."""
    for consumer in consumers:
        handled = event_id in cloud.handled(consumer)
        rejected = [each for each in cloud.dead_letters(consumer) if each.event_id == event_id]
        assert handled or any(each.reason for each in rejected), (
            f"{consumer} has not handled the redriven event:\n{cloud.history()}"
        )
    assert cloud.lost == [], "\n".join(cloud.lost)
