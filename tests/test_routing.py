"""Who gets which event: published in the deployed system, and compared with the contracts."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from patchbay.events.catalogue import events
from patchbay.events.event import Event
from patchbay.events.examples import example
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.history import Published
from patchbay.testkit.subscriptions import Address, annotated, mismatches
from patchbay.testkit.templates import Templates
from patchbay.topology.routes import routes
from patchbay.topology.template import Template
from tests.shop import Shop

EVENTS = list(events().values())
Change = Callable[[dict[str, Any]], object]


def address(event: type[Event]) -> Address:
    return event.source(), event.detail_type()


def who_got(cloud: Cloud, published: Published | None = None) -> set[str]:
    """The consumers into whose queues an event went: the first one, if none is given."""
    queues = {letter.queue for letter in (published or cloud.published()[0]).deliveries}
    return {name for name in cloud.consumers if cloud.queue(name).name in queues}


def routed(templates: Templates) -> dict[str, set[Address]]:
    """The events that the rules of each consumer pass, by its name."""
    read = {stack: Template(stack, body) for stack, body in templates.bodies.items()}
    found: dict[str, set[Address]] = {}
    for route in routes(read):
        for subscription in route.subscriptions:
            name = subscription.function.properties["Environment"]["Variables"]["CONSUMER"]
            found.setdefault(name, set()).add(address(route.event))
    return found


def filtering(templates: Templates, event: type[Event]) -> set[str]:
    """The consumers that want some of these events, and not all."""
    read = {stack: Template(stack, body) for stack, body in templates.bodies.items()}
    return {
        subscription.function.properties["Environment"]["Variables"]["CONSUMER"]
        for route in routes(read, [event])
        for subscription in route.subscriptions
        if subscription.is_filtered
    }


def takers(templates: Templates, consumers: list[str]) -> dict[str, set[Address]]:
    return {
        function.short_name: annotated(function)
        for function in templates.functions.values()
        if function.short_name in consumers
    }


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_an_event_goes_to_those_whose_handlers_take_it_and_to_nobody_else(
    event: type[Event], cloud: Shop, templates: Templates
) -> None:
    cloud.publish(event(**example(event)))
    cloud.settle()
    expected = takers(templates, cloud.consumers)
    takes = {name for name, taken in expected.items() if address(event) in taken}
    # Whether a filter passes the example is its own test's to say.
    assert takes - filtering(templates, event) <= who_got(cloud) <= takes


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
@pytest.mark.parametrize(
    "miss",
    [
        lambda source, name: ("shop.elsewhere", name),
        lambda source, name: (source.upper(), name),
        lambda source, name: (f"{source}.eu", name),
        lambda source, name: (source, f"{name}Again"),
        lambda source, name: (source, name.lower()),
        lambda source, name: (source, f" {name}"),
        lambda source, name: (name, source),
    ],
    ids=[
        "another source", "source in another case", "a longer source", "another type",
        "type in another case", "a space too many", "swapped",
    ],
)  # fmt: skip
def test_what_is_nearly_that_event_goes_to_nobody(
    event: type[Event],
    miss: Callable[[str, str], Address],
    cloud: Shop,
) -> None:
    source, detail_type = miss(*address(event))
    cloud.put(source, detail_type, {"metadata": {}, "data": example(event)})
    cloud.settle()
    assert who_got(cloud) <= cloud.wire_taps
    assert "has no rule for" in cloud.log


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_an_event_under_another_services_source_goes_to_nobody(
    event: type[Event], cloud: Shop
) -> None:
    sources = {other.source() for other in EVENTS} - {event.source()}
    for source in sorted(sources):
        cloud.put(source, event.detail_type(), {"metadata": {}, "data": example(event)})
    cloud.settle()
    assert all(who_got(cloud, published) <= cloud.wire_taps for published in cloud.published())


def test_what_every_handler_says_of_itself_agrees_with_its_stack(
    templates: Templates,
) -> None:
    assert list(mismatches(templates, routed(templates))) == []


def test_every_consumer_is_in_the_table_of_routes(cloud: Shop, templates: Templates) -> None:
    assert set(routed(templates)) == set(cloud.consumers)


def unserved(templates: Templates) -> list[str]:
    """The events of the contracts that nobody may publish, or that nobody consumes."""
    read = {stack: Template(stack, body) for stack, body in templates.bodies.items()}
    return [
        route.event.__name__
        for route in routes(read)
        if not route.publishers or not route.subscriptions
    ]


def test_every_event_has_a_publisher_and_a_consumer(templates: Templates) -> None:
    assert unserved(templates) == []


@pytest.mark.parametrize(
    ("stack", "events"),
    [
        ("payments", {"PaymentDeclined", "PaymentRefunded", "PaymentTaken"}),
        ("orders", {"OrderPlaced"}),
    ],
)
def test_an_event_without_a_publisher_or_a_consumer_is_told(
    stack: str, events: set[str], templates: Templates
) -> None:
    left = {n: body for n, body in templates.bodies.items() if n != f"records-dev-{stack}"}
    assert set(unserved(templates.with_bodies(left))) - set(unserved(templates)) == events


def changed(templates: Templates, stack: str, change: Change) -> Templates:
    """The system with one of its templates changed, on a copy."""
    body = copy.deepcopy(dict(templates.bodies[stack]))
    change(body)
    return templates.with_bodies({**templates.bodies, stack: body})


def rules_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [each for each in body["Resources"].values() if each["Type"] == "AWS::Events::Rule"]


def test_a_rule_for_less_than_the_handler_takes_is_told(templates: Templates) -> None:
    def forget(body: dict[str, Any]) -> None:
        for rule in rules_of(body):
            types = rule["Properties"]["EventPattern"]["detail-type"]
            types[:] = [each for each in types if each != "PaymentTaken"]

    broken = changed(templates, "records-dev-orders", forget)
    assert list(mismatches(templates, routed(broken))) == [
        "The handler of orders-status takes PaymentTaken from shop.payments, but no rule passes "
        "it: add it to `on=` in its stack."
    ]


def test_a_rule_for_more_than_the_handler_takes_is_told(templates: Templates) -> None:
    def add(body: dict[str, Any]) -> None:
        for rule in rules_of(body):
            if rule["Properties"]["EventPattern"]["source"] == ["shop.payments"]:
                rule["Properties"]["EventPattern"]["detail-type"].append("PaymentTaken")

    broken = changed(templates, "records-dev-notifications", add)
    assert list(mismatches(templates, routed(broken))) == [
        "notifications gets PaymentTaken from shop.payments, which its handler does not take: add "
        "it to the annotation, or remove it from `on=` in its stack."
    ]


def test_a_handler_whose_stack_alone_takes_it_for_idempotent_is_told(templates: Templates) -> None:
    def forget(body: dict[str, Any]) -> None:
        for resource in body["Resources"].values():
            if resource["Type"] == "AWS::Lambda::Function":
                del resource["Properties"]["Environment"]["Variables"]["IDEMPOTENCY_TABLE"]

    broken = changed(templates, "records-dev-notifications", forget)
    assert list(mismatches(broken, routed(broken))) == [
        "Of notifications, either its handler says that it is naturally idempotent or its stack "
        "does: let both say so, or neither."
    ]


def test_a_content_filter_lets_through_what_it_names_and_nothing_else(
    templates: Templates,
) -> None:
    large = [{"numeric": [">=", 100]}]

    def filter_on_amount(body: dict[str, Any]) -> None:
        for rule in rules_of(body):
            rule["Properties"]["EventPattern"]["detail"] = {"data": {"amount": large}}

    filtered = changed(templates, "records-dev-notifications", filter_on_amount)
    with Shop(filtered) as cloud:
        for amount in ("99.99", "100", "100.01", "0"):
            cloud.place_order(amount=amount)
        cloud.settle()
        got = [
            event.data["amount"]
            for event in cloud.published("OrderPlaced")
            if f"{cloud.prefix}notifications" in {letter.queue for letter in event.deliveries}
        ]
        assert sorted(got) == [100, 100.01]
        assert len(cloud.handled("payments")) == 4
