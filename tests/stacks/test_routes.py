"""The routes of the shop: the publishers and the consumers of each event."""

from collections.abc import Mapping

import pytest

from contracts.orders import OrderPlaced
from contracts.payments import PaymentDeclined, PaymentTaken
from patchbay.events.catalogue import events
from patchbay.topology.routes import Route, routes
from patchbay.topology.template import Template
from tests.stacks.conftest import Templates

STAGES = ("local", "dev", "prod")


def names(route: Route) -> tuple[set[str], set[str]]:
    """The functions that publish it, and those that consume it, without what all begin with."""
    publishers = {each.resource.name.split("-", 2)[2] for each in route.publishers}
    return publishers, {each.function.name.split("-", 2)[2] for each in route.subscriptions}


def placed_in(templates: Mapping[str, Template]) -> Route:
    (route,) = routes(templates, [OrderPlaced])
    return route


@pytest.mark.parametrize("stage", STAGES)
def test_every_event_of_the_shop_is_routed_from_its_publisher_to_its_subscribers(
    stage: str, templates: Templates
) -> None:
    placed, declined, taken = routes(templates(stage), [OrderPlaced, PaymentDeclined, PaymentTaken])
    assert (placed.owner, declined.owner, taken.owner) == ("orders", "payments", "payments")
    # A consumer that a team has added may consume them as well.
    publishers, subscribers = names(placed)
    assert publishers == {"orders-outbox"}
    assert {"notifications", "payments"} <= subscribers - {"orders-status"} == subscribers
    publishers, subscribers = names(declined)
    assert publishers == {"payments"}
    assert {"notifications", "orders-status"} <= subscribers - {"payments"} == subscribers
    publishers, subscribers = names(taken)
    assert publishers == {"payments"}
    assert {"orders-status"} <= subscribers - {"payments", "notifications"} == subscribers


def test_the_table_has_every_event_of_the_contracts(templates: Templates) -> None:
    found = {route.event.detail_type() for route in routes(templates("dev"))}
    assert found == set(events())


def test_a_route_has_its_services_and_its_rules(templates: Templates) -> None:
    placed = placed_in(templates("dev"))
    assert [publisher.service for publisher in placed.publishers] == ["orders"]
    rules = {each.service: [rule.name for rule in each.rules] for each in placed.subscriptions}
    assert rules["notifications"] == ["records-dev-notifications-shop-orders"]
    assert rules["payments"] == ["records-dev-payments-shop-orders"]
