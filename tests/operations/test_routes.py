"""Who publishes what, and who gets it."""

import json
from copy import deepcopy

import pytest

from demo.settings import STAGE
from patchbay.cli.__main__ import main
from patchbay.local.system import System
from patchbay.operations.routes import Producer, Routes, routes, routes_of
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


def producer(found: Routes, name: str) -> Producer:
    return next(each for each in found.producers if each.name == name)


def test_an_event_leads_from_who_publishes_it_to_everyone_who_gets_it(found: Routes) -> None:
    (placed,) = producer(found, "orders-outbox").outlets
    listeners = {each.subscription.consumer: each for each in placed.listeners}
    assert listeners.keys() == {"accounts-gifts", "journal", "notifications", "payments"}
    assert listeners["accounts-gifts"].subscription.condition == "amount = 0"
    assert [each.subscription.consumer for each in placed.taps] == ["journal"]


def test_who_gets_its_events_in_order_is_told(found: Routes) -> None:
    taken = {each.type: each for each in producer(found, "payments").outlets}["PaymentTaken"]
    ordered = {each.subscription.consumer for each in taken.listeners if each.ordered}
    assert ordered == {"accounts-statement"}


def test_what_sets_a_function_going_is_told_where_no_event_does(found: Routes) -> None:
    assert producer(found, "orders-outbox").starts == ("changes of table orders",)
    assert producer(found, "bestsellers").starts == ("stream storefront",)
    assert producer(found, "accounts-close").starts == ("schedule cron(0 3 * * ? *) UTC",)
    assert producer(found, "payments").starts == ()


def test_what_nobody_but_a_wire_tap_hears_is_found(found: Routes) -> None:
    assert {outlet.type for outlet in found.unheard} == {"BestsellerChanged", "DayClosed"}


def test_what_nobody_may_publish_is_found(dev: dict[str, Template]) -> None:
    without = {name: each for name, each in dev.items() if name != "patchbay-dev-orders"}
    assert [outlet.type for outlet in routes_of(without, "dev").unpublished] == ["OrderPlaced"]


def test_a_function_that_publishes_nothing_is_told_with_what_sets_it_going(
    dev: dict[str, Template],
) -> None:
    quiet = deepcopy(dict(dev["patchbay-dev-accounts"].body))
    policies = [each for each in quiet["Resources"].values() if each["Type"] == "AWS::IAM::Policy"]
    for policy in policies:
        policy["Properties"]["PolicyDocument"]["Statement"] = []
    found = routes_of({"patchbay-dev-accounts": Template("patchbay-dev-accounts", quiet)}, "dev")
    assert found.others == {"accounts-close": ("schedule cron(0 3 * * ? *) UTC",)}


def test_the_command_draws_them(
    found: Routes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("patchbay.operations.routes.routes", lambda clients, stage: found)
    assert main(["routes"]) == 0
    drawn = capsys.readouterr().out
    assert "→ accounts-gifts  where amount = 0" in drawn
    assert "heard by nobody but journal" in drawn
    assert main(["routes", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["heard_by_taps_only"] == ["BestsellerChanged", "DayClosed"]


@pytest.mark.embedded
def test_a_deployment_tells_the_same_as_what_was_synthesized(running: System) -> None:
    deployed = routes(running.cloud, STAGE)
    assert deployed.producers == routes_of(read(assembly("dev")), "dev").producers
