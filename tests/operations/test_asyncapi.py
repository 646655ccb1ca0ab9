"""The AsyncAPI document. `.ci/check_asyncapi` validates it with AsyncAPI's own parser."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from patchbay.events.catalogue import events
from patchbay.events.event import Envelope, Metadata
from patchbay.operations.catalogue.asyncapi import FILE, Part, document
from patchbay.topology.template import read
from tests.synthesis import assembly

NAME = re.compile(r"[A-Za-z0-9_.-]+")  # AsyncAPI's pattern for the keys of components


@pytest.fixture(scope="module")
def made() -> Part:
    return document(read(assembly("dev")))


@pytest.fixture(scope="module")
def committed() -> Part:
    found: Part = json.loads(FILE.read_text())
    return found


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def found(document: Part, reference: str) -> Any:
    part: Any = document
    for step in reference.removeprefix("#/").split("/"):
        part = part[step]
    return part


def operations(document: Part, action: str, event: str) -> dict[str, Part]:
    return {
        name: operation
        for name, operation in document["operations"].items()
        if operation["action"] == action and operation["channel"]["$ref"] == f"#/channels/{event}"
    }


def leaves(part: Any, *above: str) -> dict[str, Any]:
    """Return the values of a document by their paths."""
    if not isinstance(part, dict):
        return {"/".join(above): part}
    return {path: leaf for key in part for path, leaf in leaves(part[key], *above, key).items()}


def test_the_committed_document_is_still_valid(made: Part, committed: Part) -> None:
    # New consumers and events may be missing: adding one takes new files only. CI checks for them.
    before, now = leaves(committed), leaves(made)
    wrong = {
        path: (before[path], now.get(path)) for path in before if before[path] != now.get(path)
    }
    assert not wrong, f"docs/asyncapi.json is not up to date: run `make asyncapi`. {wrong}"


def test_every_event_is_a_channel_with_one_message(made: Part) -> None:
    assert made["channels"].keys() == events().keys()
    placed = made["channels"]["OrderPlaced"]
    assert placed["address"] == "shop.orders/OrderPlaced"
    assert placed["messages"].keys() == {"OrderPlaced"}


def test_every_reference_leads_somewhere(made: Part) -> None:
    assert all(found(made, reference) for reference in references(made))
    assert all(NAME.fullmatch(name) for part in made["components"].values() for name in part)


def test_a_publisher_sends_and_a_consumer_receives(made: Part) -> None:
    assert operations(made, "send", "OrderPlaced").keys() == {"orders-outbox-publishes-OrderPlaced"}
    receiving = operations(made, "receive", "OrderPlaced")
    assert {"payments-consumes-OrderPlaced", "journal-consumes-OrderPlaced"} <= receiving.keys()
    gifts = receiving["accounts-gifts-consumes-OrderPlaced"]
    assert gifts["description"] == "Only where amount = 0."
    assert gifts["tags"] == [{"name": "accounts"}]


def test_a_consumer_names_its_queue_and_its_dead_letter_queue(made: Part) -> None:
    def queue(operation: str) -> Part:
        (only,) = made["operations"][operation]["bindings"]["sqs"]["queues"]
        return dict(only)

    payments = queue("payments-consumes-OrderPlaced")
    assert payments["name"] == "records-{stage}-payments"
    assert payments["redrivePolicy"] == {
        "deadLetterQueue": {"name": "records-{stage}-payments-dead-letters"},
        "maxReceiveCount": 12,
    }
    statement = queue("accounts-statement-consumes-PaymentTaken")
    assert (statement["name"], statement["fifoQueue"]) == (
        "records-{stage}-accounts-statement.fifo",
        True,
    )


@pytest.mark.parametrize("name", events())
def test_a_message_is_the_envelope_with_a_valid_example(name: str, made: Part) -> None:
    message = made["components"]["messages"][name]
    assert message["payload"]["required"] == list(Envelope.model_fields)
    (example,) = message["examples"]
    assert Metadata.model_validate(example["payload"]["metadata"]).version == events()[name].version
    assert events()[name].model_validate(example["payload"]["data"])


def test_it_has_no_name_of_a_stage(made: Part) -> None:
    assert "records-dev" not in json.dumps(made)
