"""Who publishes what, and who gets it."""

import json
from copy import deepcopy

import pytest

from demo.settings import STAGE
from demo.surroundings import LocalShop
from patchbay.cli.__main__ import main
from patchbay.operations.routes import PublisherRoutes, Routes, routes, routes_of
from patchbay.project.naming import named
from patchbay.topology.template import Template, read
from tests.synthesis import assembly

# A user's services beside them hear what they like.
THE_SHOPS_OWN = (
    "accounts", "bestsellers", "broker", "fulfilment", "journal", "notifications", "orders",
    "payments", "storefront",
)  # fmt: skip


@pytest.fixture(scope="module")
def dev() -> dict[str, Template]:
    stacks = read(assembly("dev"))
    return {name: stacks[name] for name in (named("dev", each) for each in THE_SHOPS_OWN)}


@pytest.fixture(scope="module")
def found(dev: dict[str, Template]) -> Routes:
    return routes_of(dev, "dev")


def publisher(found: Routes, name: str) -> PublisherRoutes:
    return next(each for each in found.publishers if each.publisher.name == name)


def test_an_event_leads_from_who_publishes_it_to_everyone_who_gets_it(found: Routes) -> None:
    (placed,) = publisher(found, "orders-outbox").routes
    subscriptions = {each.consumer: each for each in placed.subscriptions}
    assert subscriptions.keys() == {"accounts-gifts", "journal", "notifications", "payments"}
    assert subscriptions["accounts-gifts"].condition == "amount = 0"
    assert [each.consumer for each in placed.subscriptions if each.takes_everything] == ["journal"]


def test_who_gets_its_events_in_order_is_told(found: Routes) -> None:
    routes = {each.event.detail_type(): each for each in publisher(found, "payments").routes}
    taken = routes["PaymentTaken"]
    ordered = {each.consumer for each in taken.subscriptions if each.in_order}
    assert ordered == {"accounts-statement"}


def test_what_sets_a_function_going_is_told_where_no_event_does(found: Routes) -> None:
    assert publisher(found, "orders-outbox").triggers == ("changes of table orders",)
    assert publisher(found, "bestsellers").triggers == ("stream storefront",)
    assert publisher(found, "accounts-close").triggers == ("schedule cron(0 3 * * ? *) UTC",)
    assert publisher(found, "payments").triggers == ()


def test_what_nobody_but_a_wire_tap_consumes_is_found(found: Routes) -> None:
    unconsumed = {route.event.detail_type() for route in found.unconsumed}
    assert unconsumed == {"BestsellerChanged", "DayClosed"}


def test_what_nobody_may_publish_is_found(dev: dict[str, Template]) -> None:
    without = {name: each for name, each in dev.items() if name != "records-dev-orders"}
    before, after = (
        {route.event.detail_type() for route in routes_of(each, "dev").unpublished}
        for each in (dev, without)
    )
    assert after - before == {"OrderPlaced"}


def test_a_function_that_publishes_nothing_is_told_with_what_sets_it_going(
    dev: dict[str, Template],
) -> None:
    quiet = deepcopy(dict(dev["records-dev-accounts"].body))
    policies = [each for each in quiet["Resources"].values() if each["Type"] == "AWS::IAM::Policy"]
    for policy in policies:
        policy["Properties"]["PolicyDocument"]["Statement"] = []
    found = routes_of({"records-dev-accounts": Template("records-dev-accounts", quiet)}, "dev")
    assert found.others == {"accounts-close": ("schedule cron(0 3 * * ? *) UTC",)}


def test_the_command_draws_them(
    found: Routes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("patchbay.operations.routes.routes", lambda clients, stage: found)
    assert main(["routes"]) == 0
    render = capsys.readouterr().out
    assert "→ accounts-gifts  where amount = 0" in render
    assert "no consumer but journal" in render
    assert main(["routes", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["unconsumed"] == ["BestsellerChanged", "DayClosed"]


@pytest.mark.embedded
def test_a_deployment_tells_the_same_as_what_was_synthesized(running: LocalShop) -> None:
    deployed = routes(running.cloud, STAGE)
    assert deployed.publishers == routes_of(read(running.assembly), STAGE).publishers
