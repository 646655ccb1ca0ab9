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
from patchbay.testkit.templates import Blueprint
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


def routed(blueprint: Blueprint) -> dict[str, set[Address]]:
    """The events that the rules of each consumer pass, by its name."""
    templates = {stack: Template(stack, body) for stack, body in blueprint.templates.items()}
    found: dict[str, set[Address]] = {}
    for route in routes(templates):
        for subscriber in route.subscribers:
            name = subscriber.function.properties["Environment"]["Variables"]["CONSUMER"]
            found.setdefault(name, set()).add(address(route.event))
    return found


def filtering(blueprint: Blueprint, event: type[Event]) -> set[str]:
    """The consumers that want some of these events, and not all."""
    templates = {stack: Template(stack, body) for stack, body in blueprint.templates.items()}
    return {
        subscriber.function.properties["Environment"]["Variables"]["CONSUMER"]
        for route in routes(templates, [event])
        for subscriber in route.subscribers
        if subscriber.filtered
    }


def takers(blueprint: Blueprint, consumers: list[str]) -> dict[str, set[Address]]:
    return {
        function.short_name: annotated(function)
        for function in blueprint.functions.values()
        if function.short_name in consumers
    }


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_an_event_goes_to_those_whose_handlers_take_it_and_to_nobody_else(
    event: type[Event], cloud: Shop, blueprint: Blueprint
) -> None:
    cloud.publish(event(**example(event)))
    cloud.settle()
    expected = takers(blueprint, cloud.consumers)
    takes = {name for name, taken in expected.items() if address(event) in taken}
    # Whether a filter passes the example is its own test's to say.
    assert takes - filtering(blueprint, event) <= who_got(cloud) <= takes


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
    blueprint: Blueprint,
) -> None:
    assert list(mismatches(blueprint, routed(blueprint))) == []


def test_every_consumer_is_in_the_table_of_routes(cloud: Shop, blueprint: Blueprint) -> None:
    assert set(routed(blueprint)) == set(cloud.consumers)


def unserved(blueprint: Blueprint) -> list[str]:
    """The events of the contracts that nobody may publish, or that nobody consumes."""
    templates = {stack: Template(stack, body) for stack, body in blueprint.templates.items()}
    return [
        route.event.__name__
        for route in routes(templates)
        if not route.publishers or not route.subscribers
    ]


def test_every_event_has_a_publisher_and_a_consumer(blueprint: Blueprint) -> None:
    assert unserved(blueprint) == []


@pytest.mark.parametrize(
    ("stack", "events"),
    [
        ("payments", {"PaymentDeclined", "PaymentRefunded", "PaymentTaken"}),
        ("orders", {"OrderPlaced"}),
    ],
)
def test_an_event_without_a_publisher_or_a_consumer_is_told(
    stack: str, events: set[str], blueprint: Blueprint
) -> None:
    left = {n: body for n, body in blueprint.templates.items() if n != f"patchbay-dev-{stack}"}
    assert set(unserved(blueprint.with_templates(left))) - set(unserved(blueprint)) == events


def changed(blueprint: Blueprint, stack: str, change: Change) -> Blueprint:
    """The system with one of its templates changed, on a copy."""
    body = copy.deepcopy(dict(blueprint.templates[stack]))
    change(body)
    return blueprint.with_templates({**blueprint.templates, stack: body})


def rules_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [each for each in body["Resources"].values() if each["Type"] == "AWS::Events::Rule"]


def test_a_rule_for_less_than_the_handler_takes_is_told(blueprint: Blueprint) -> None:
    def forget(body: dict[str, Any]) -> None:
        for rule in rules_of(body):
            types = rule["Properties"]["EventPattern"]["detail-type"]
            types[:] = [each for each in types if each != "PaymentTaken"]

    broken = changed(blueprint, "patchbay-dev-orders", forget)
    assert list(mismatches(blueprint, routed(broken))) == [
        "The handler of orders-status takes PaymentTaken from shop.payments, but no rule passes "
        "it: add it to `on=` in its stack."
    ]


def test_a_rule_for_more_than_the_handler_takes_is_told(blueprint: Blueprint) -> None:
    def add(body: dict[str, Any]) -> None:
        for rule in rules_of(body):
            if rule["Properties"]["EventPattern"]["source"] == ["shop.payments"]:
                rule["Properties"]["EventPattern"]["detail-type"].append("PaymentTaken")

    broken = changed(blueprint, "patchbay-dev-notifications", add)
    assert list(mismatches(blueprint, routed(broken))) == [
        "notifications gets PaymentTaken from shop.payments, which its handler does not take: add "
        "it to the annotation, or remove it from `on=` in its stack."
    ]


def test_a_handler_whose_stack_alone_takes_it_for_idempotent_is_told(blueprint: Blueprint) -> None:
    def forget(body: dict[str, Any]) -> None:
        for resource in body["Resources"].values():
            if resource["Type"] == "AWS::Lambda::Function":
                del resource["Properties"]["Environment"]["Variables"]["IDEMPOTENCY_TABLE"]

    broken = changed(blueprint, "patchbay-dev-notifications", forget)
    assert list(mismatches(broken, routed(broken))) == [
        "Of notifications, either its handler says that it is naturally idempotent or its stack "
        "does: let both say so, or neither."
    ]


def test_a_content_filter_lets_through_what_it_names_and_nothing_else(
    blueprint: Blueprint,
) -> None:
    large = [{"numeric": [">=", 100]}]

    def filter_on_amount(body: dict[str, Any]) -> None:
        for rule in rules_of(body):
            rule["Properties"]["EventPattern"]["detail"] = {"data": {"amount": large}}

    filtered = changed(blueprint, "patchbay-dev-notifications", filter_on_amount)
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
