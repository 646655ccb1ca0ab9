"""Tests of routing: each event reaches every consumer that subscribes to it, and no other."""

from patchbay.events.catalogue import events
from patchbay.events.event import Event, namespace
from patchbay.events.examples import example
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.subscriptions import (
    address,
    filtering,
    mismatches,
    receivers,
    routed,
    takers,
)
from patchbay.testkit.templates import Templates
from patchbay.topology.routes import routes
from patchbay.topology.template import Template


def test_an_event_goes_to_the_consumers_that_take_it_and_to_no_other(
    event: type[Event], cloud: Cloud, templates: Templates
) -> None:
    """Compare the consumers whose handlers take an event with those that receive an example."""
    cloud.publish(event(**example(event)))
    cloud.settle()
    takes = {name for name, taken in takers(templates).items() if address(event) in taken}
    got = receivers(cloud, cloud.published()[0])
    # A consumer with a filter may drop the example: its own tests cover the filter.
    missing = takes - filtering(templates, event) - got
    assert not missing, (
        f"{event.__name__} did not reach {', '.join(sorted(missing))}, whose handler takes it:\n"
        f"{cloud.history()}"
    )
    assert not got - takes, (
        f"{event.__name__} reached {', '.join(sorted(got - takes))}, whose handler does not take "
        f"it:\n{cloud.history()}"
    )


def test_nearly_an_event_goes_to_no_consumer(event: type[Event], cloud: Cloud) -> None:
    """Put entries on the bus that differ from the event in one small detail."""
    source, name = address(event)
    misses = [
        (f"{namespace()}.elsewhere", name),
        (source.upper(), name),
        (f"{source}.eu", name),
        (source, f"{name}Again"),
        (source, name.lower()),
        (source, f" {name}"),
        (name, source),
    ]
    for nearly, detail_type in misses:
        cloud.put(nearly, detail_type, {"metadata": {}, "data": example(event)})
    cloud.settle()
    _reached_only_taps(cloud)


def test_an_event_under_another_services_source_goes_to_no_consumer(
    event: type[Event], cloud: Cloud
) -> None:
    """Put the event on the bus under the source of every other service."""
    for source in sorted({other.source() for other in events().values()} - {event.source()}):
        cloud.put(source, event.detail_type(), {"metadata": {}, "data": example(event)})
    cloud.settle()
    _reached_only_taps(cloud)


def test_every_handler_agrees_with_its_stack(templates: Templates) -> None:
    """Compare each handler's annotation with the rules and the settings of its stack."""
    found = list(mismatches(templates, routed(templates)))
    assert not found, "\n".join(found)


def test_every_consumer_is_routed(cloud: Cloud, templates: Templates) -> None:
    """Assert that each consumer's rules let some event of the contracts through."""
    unrouted = set(cloud.consumers) - set(routed(templates))
    assert not unrouted, (
        f"The rules of {', '.join(sorted(unrouted))} let no event of the contracts through."
    )


def test_every_event_has_a_publisher_and_a_consumer(templates: Templates) -> None:
    """Assert that each event of the contracts has a publisher and a consumer."""
    found = unserved(templates)
    assert not found, "\n".join(found.values())


def unserved(templates: Templates) -> dict[str, str]:
    """Return a sentence for each event without a publisher or without a consumer."""
    read = {stack: Template(stack, body) for stack, body in templates.bodies.items()}
    found = {}
    for route in routes(read):
        name = route.event.__name__
        if not route.publishers:
            found[name] = f"No function may publish {name}: add it to `publishes=` of one."
        elif not route.subscriptions:
            found[name] = f"No consumer receives {name}: add it to `on=` of one."
    return found


def _reached_only_taps(cloud: Cloud) -> None:
    """Assert that the published events reached only the consumers that take everything."""
    for published in cloud.published():
        got = receivers(cloud, published) - cloud.wire_taps
        assert not got, (
            f"{published.type} from {published.source} is no event of the contracts, but reached "
            f"{', '.join(sorted(got))}:\n{cloud.history()}"
        )
