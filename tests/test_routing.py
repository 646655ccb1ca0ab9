"""Errors in the shop's routes are reported by name; tests/test_system.py finds none in it."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from patchbay.testkit.subscriptions import mismatches, routed
from patchbay.testkit.system_tests.routing import unserved
from patchbay.testkit.templates import Templates
from tests.shop import Shop

Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("stack", "events"),
    [
        ("payments", {"PaymentDeclined", "PaymentRefunded", "PaymentTaken"}),
        ("orders", {"OrderPlaced"}),
    ],
)
def test_an_event_without_a_publisher_or_a_consumer_is_reported(
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


def test_a_rule_for_fewer_events_than_the_handler_accepts_is_reported(templates: Templates) -> None:
    def forget(body: dict[str, Any]) -> None:
        for rule in rules_of(body):
            types = rule["Properties"]["EventPattern"]["detail-type"]
            types[:] = [each for each in types if each != "PaymentTaken"]

    broken = changed(templates, "records-dev-orders", forget)
    assert list(mismatches(templates, routed(broken))) == [
        "The handler of orders-status takes PaymentTaken from shop.payments, but no rule lets "
        "it through: add it to `on=` in its stack."
    ]


def test_a_rule_for_more_events_than_the_handler_accepts_is_reported(templates: Templates) -> None:
    def add(body: dict[str, Any]) -> None:
        for rule in rules_of(body):
            if rule["Properties"]["EventPattern"]["source"] == ["shop.payments"]:
                rule["Properties"]["EventPattern"]["detail-type"].append("PaymentTaken")

    broken = changed(templates, "records-dev-notifications", add)
    assert list(mismatches(templates, routed(broken))) == [
        "notifications receives PaymentTaken from shop.payments, but its handler does not take "
        "it: add it to the annotation, or remove it from `on=` in its stack."
    ]


def test_a_handler_that_only_its_stack_marks_idempotent_is_reported(templates: Templates) -> None:
    def forget(body: dict[str, Any]) -> None:
        for resource in body["Resources"].values():
            if resource["Type"] == "AWS::Lambda::Function":
                del resource["Properties"]["Environment"]["Variables"]["IDEMPOTENCY_TABLE"]

    broken = changed(templates, "records-dev-notifications", forget)
    assert list(mismatches(broken, routed(broken))) == [
        "Only one of the handler and the stack of notifications declares it naturally idempotent: "
        "declare it in both, or in neither."
    ]


def test_a_filter_matches_the_events_that_it_names_and_no_others(
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
            if f"{cloud.prefix}notifications" in {delivery.queue for delivery in event.deliveries}
        ]
        assert sorted(got) == [100, 100.01]
        assert len(cloud.handled("payments")) == 4
