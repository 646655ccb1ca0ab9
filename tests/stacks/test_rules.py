"""Rules: each consumer receives the events that it names, and no similar ones."""

import ast
from collections.abc import Iterator, Mapping

import pytest

from patchbay.events.catalogue import events
from patchbay.events.event import Event
from patchbay.project.root import ROOT
from patchbay.topology.consumers import ConsumerResources, consumers
from tests.stacks.conftest import Templates

EXPECTED: Mapping[str, set[str]] = {
    "fulfilment": {"PaymentTaken"},
    "notifications": {"OrderPlaced", "PaymentDeclined", "PaymentRefunded"},
    "orders-status": {
        "OrderShipped", "OrderUnfulfillable", "PaymentDeclined", "PaymentRefunded", "PaymentTaken",
    },
    "payments": {"OrderPlaced"},
    "payments-refund": {"OrderUnfulfillable"},
}  # fmt: skip


@pytest.fixture(scope="module")
def found(templates: Templates) -> dict[str, ConsumerResources]:
    """The consumers that wait for certain events."""
    return {each.name: each for each in consumers(templates("dev")) if not takes_all(each)}


def takes_all(consumer: ConsumerResources) -> bool:
    return not any("detail-type" in rule.properties["EventPattern"] for rule in consumer.rules)


def test_a_wire_tap_receives_every_event_of_the_system_and_nothing_else(
    templates: Templates,
) -> None:
    (journal,) = (each for each in consumers(templates("dev")) if each.name == "journal")
    assert takes_all(journal)
    for event in events().values():
        assert journal.passes(source=event.source(), detail_type=event.detail_type())
    assert journal.passes(source="shop.yet-to-come", detail_type="Anything")
    assert not journal.passes(source="aws.events", detail_type="Scheduled Event")


@pytest.mark.parametrize("event", events().values(), ids=lambda event: event.__name__)
@pytest.mark.parametrize("consumer", EXPECTED)
def test_a_rule_passes_the_events_of_its_consumer_and_no_others(
    consumer: str, event: type[Event], found: dict[str, ConsumerResources]
) -> None:
    passes = found[consumer].passes(source=event.source(), detail_type=event.detail_type())
    assert passes == (event.__name__ in EXPECTED[consumer])


def near_misses(event: type[Event]) -> Iterator[tuple[str, str]]:
    source, detail_type = event.source(), event.detail_type()
    yield from ((other.source(), detail_type) for other in events().values())
    yield f"{source}.", detail_type
    yield source.upper(), detail_type
    yield source.removeprefix("shop."), detail_type
    yield f"aws.{source}", detail_type
    yield source, detail_type.lower()
    yield source, f"{detail_type}s"
    yield source, f" {detail_type}"
    yield source, detail_type[:-1]
    yield source, ""


@pytest.mark.parametrize("event", events().values(), ids=lambda event: event.__name__)
def test_no_rule_matches_a_message_that_only_resembles_an_event(
    event: type[Event], found: dict[str, ConsumerResources]
) -> None:
    real = (event.source(), event.detail_type())
    for source, detail_type in set(near_misses(event)) - {real}:
        for consumer in found.values():
            assert not consumer.passes(source=source, detail_type=detail_type), consumer.name


def taken_by(handler: str) -> set[str]:
    """The events that a handler's annotation names, read without running its module."""
    module, _, function = handler.rpartition(".")
    source = ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text()
    (definition,) = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == function
    )
    (argument,) = definition.args.args
    assert argument.annotation
    return set(ast.unparse(argument.annotation).split(" | "))


def test_every_handler_accepts_exactly_the_events_that_its_rules_match(
    found: dict[str, ConsumerResources],
) -> None:
    for consumer in found.values():
        passed = {
            name
            for name, event in events().items()
            if consumer.passes(source=event.source(), detail_type=name)
        }
        assert taken_by(consumer.function.properties["Handler"]) == passed, consumer.name
