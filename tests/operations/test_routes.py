"""Routes from publishers to consumers, and the command that shows them."""

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

# A project may have more services, which may consume the same events.
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


def test_a_route_leads_from_the_publisher_of_an_event_to_all_its_consumers(found: Routes) -> None:
    (placed,) = publisher(found, "orders-outbox").routes
    subscriptions = {each.consumer: each for each in placed.subscriptions}
    assert subscriptions.keys() == {"accounts-gifts", "journal", "notifications", "payments"}
    assert subscriptions["accounts-gifts"].condition == "amount = 0"
    assert [each.consumer for each in placed.subscriptions if each.takes_everything] == ["journal"]


def test_an_ordered_consumer_is_marked(found: Routes) -> None:
    routes = {each.event.detail_type(): each for each in publisher(found, "payments").routes}
    taken = routes["PaymentTaken"]
    ordered = {each.consumer for each in taken.subscriptions if each.in_order}
    assert ordered == {"accounts-statement"}


def test_a_publisher_has_the_streams_and_schedules_that_invoke_it(found: Routes) -> None:
    assert publisher(found, "orders-outbox").triggers == ("changes of table orders",)
    assert publisher(found, "bestsellers").triggers == ("stream storefront",)
    assert publisher(found, "accounts-close").triggers == ("schedule cron(0 3 * * ? *) UTC",)
    assert publisher(found, "payments").triggers == ()


def test_events_whose_only_consumer_is_a_wire_tap_are_unconsumed(found: Routes) -> None:
    unconsumed = {route.event.detail_type() for route in found.unconsumed}
    assert unconsumed == {"BestsellerChanged", "DayClosed"}


def test_events_without_a_publisher_are_unpublished(dev: dict[str, Template]) -> None:
    without = {name: each for name, each in dev.items() if name != "records-dev-orders"}
    before, after = (
        {route.event.detail_type() for route in routes_of(each, "dev").unpublished}
        for each in (dev, without)
    )
    assert after - before == {"OrderPlaced"}


def test_a_function_that_publishes_nothing_has_its_schedule(
    dev: dict[str, Template],
) -> None:
    body = deepcopy(dict(dev["records-dev-accounts"].body))
    policies = [each for each in body["Resources"].values() if each["Type"] == "AWS::IAM::Policy"]
    for policy in policies:
        policy["Properties"]["PolicyDocument"]["Statement"] = []
    found = routes_of({"records-dev-accounts": Template("records-dev-accounts", body)}, "dev")
    assert found.others == {"accounts-close": ("schedule cron(0 3 * * ? *) UTC",)}


def test_the_command_renders_the_routes(
    found: Routes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("patchbay.operations.routes.routes", lambda clients, stage: found)
    assert main(["routes"]) == 0
    output = capsys.readouterr().out
    assert "→ accounts-gifts  where amount = 0" in output
    assert "no consumer but journal" in output
    assert main(["routes", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["unconsumed"] == ["BestsellerChanged", "DayClosed"]


@pytest.mark.embedded
def test_the_deployed_routes_are_those_of_the_synthesized_templates(running: LocalShop) -> None:
    deployed = routes(running.cloud, STAGE)
    assert deployed.publishers == routes_of(read(running.assembly), STAGE).publishers
