"""The catalogue of events, and the command that shows it."""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.orders import OrderPlaced
from patchbay.cli.__main__ import main
from patchbay.errors import UserError
from patchbay.events.catalogue import events
from patchbay.operations.catalogue.catalogue import (
    Catalogue,
    KnownEvent,
    catalogue,
    known_events,
)
from patchbay.topology.routes import Subscription, in_words
from patchbay.topology.template import Template, read
from tests.operations.test_templates import CloudFormation
from tests.synthesis import assembly


@pytest.fixture(scope="module")
def dev() -> dict[str, Template]:
    return read(assembly("dev"))


@pytest.fixture
def known(dev: dict[str, Template]) -> Catalogue:
    return catalogue(CloudFormation(dev), "dev")


def consumers(event: KnownEvent) -> dict[str, Subscription]:
    assert event.subscriptions is not None
    return {each.consumer: each for each in event.subscriptions}


def test_it_has_every_event_with_a_valid_example(known: Catalogue) -> None:
    assert [event.type for event in known.events] == list(events())
    for event in known.events:
        assert events()[event.type].model_validate(event.example)


def test_an_event_has_its_fields_with_their_descriptions(known: Catalogue) -> None:
    placed = known.event("OrderPlaced")
    assert (placed.source, placed.version, placed.versions) == ("shop.orders", 1, (1,))
    assert placed.description == "A customer placed an order."
    assert [field.name for field in placed.fields] == list(OrderPlaced.model_fields)
    assert placed.fields[-1].description == "Zero is legal: the shop gives records away."


def test_an_event_has_its_publishers_and_its_consumers(known: Catalogue) -> None:
    placed = known.event("OrderPlaced")
    assert [each.name for each in placed.publishers or ()] == ["orders-outbox"]
    assert {"accounts-gifts", "journal", "notifications", "payments"} <= consumers(placed).keys()


def test_a_consumer_with_a_filter_is_shown_with_its_condition(known: Catalogue) -> None:
    subscribed = consumers(known.event("OrderPlaced"))
    assert subscribed["accounts-gifts"].condition == "amount = 0"
    assert subscribed["payments"].condition == ""


def test_a_wire_tap_is_marked_among_the_consumers(known: Catalogue) -> None:
    subscribed = consumers(known.event("OrderPlaced"))
    assert [name for name in subscribed if subscribed[name].takes_everything] == ["journal"]


@pytest.mark.parametrize(
    ("tests", "words"),
    [
        ([{"numeric": [">=", 10, "<=", 20]}], "amount >= 10 and <= 20"),
        (["EUR"], 'amount is "EUR"'),
        ([True], "amount is true"),
        ([{"prefix": "E"}], 'amount matches [{"prefix": "E"}]'),
        (["EUR", "USD"], 'amount matches ["EUR", "USD"]'),
    ],
)
def test_a_filter_of_a_field_is_rendered_in_words(tests: list[Any], words: str) -> None:
    assert in_words([{"amount": tests}]) == words


def test_without_a_deployment_it_reads_the_synthesized_templates(
    dev: dict[str, Template], tmp_path: Path
) -> None:
    nothing = CloudFormation({})
    known = catalogue(nothing, "dev", assembly("dev"))
    assert known.events == known_events(dev)
    assert "from the last synth. There is no stack records-dev-…" in str(known.note)

    known = catalogue(nothing, "dev", tmp_path)
    assert (known.events[0].publishers, known.events[0].subscriptions) == (None, None)
    assert known.events[0].example
    assert "Publishers and consumers are not known." in str(known.note)


def test_templates_of_another_stage_are_not_used() -> None:
    known = catalogue(CloudFormation({}), "prod", assembly("dev"))
    assert known.events[0].subscriptions is None


def test_for_an_unknown_event_the_nearest_name_is_suggested(known: Catalogue) -> None:
    with pytest.raises(UserError, match="Did you mean 'OrderPlaced'"):
        known.event("OrderPlacd")


@pytest.fixture
def without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


@pytest.mark.usefixtures("without_credentials")
def test_the_command_needs_no_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", "OrderPlaced"]) == 0
    output = capsys.readouterr()
    assert "A customer placed an order." in output.out
    assert '"order_id": "order-1"' in output.out
    assert "No AWS credentials" in " ".join(output.err.split())

    assert main(["events"]) == 0
    listed = capsys.readouterr().out
    assert [name for name in events() if name not in listed] == []


def test_the_command_needs_no_network(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert main(["events", "OrderPlaced"]) == 0
    output = capsys.readouterr()
    assert "A customer placed an order." in output.out
    assert "The request to AWS failed" in " ".join(output.err.split())


@pytest.mark.usefixtures("without_credentials")
def test_with_json_it_prints_json_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [event["type"] for event in data] == list(events())

    assert main(["events", "PaymentTaken", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["example"]["data"]["payment_id"] == "payment-1"
    assert data["schema"]["properties"].keys() == {field["name"] for field in data["fields"]}


@pytest.mark.usefixtures("without_credentials")
def test_the_command_suggests_a_name_without_a_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", "OrderPlacd"]) == 1
    assert "Did you mean 'OrderPlaced'?" in capsys.readouterr().err
