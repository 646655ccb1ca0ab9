"""Publishing of a file of events: which files are refused, and which events are put on the bus."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contracts.orders import OrderPlaced
from demo.purchases import Purchase
from demo.settings import STAGE
from demo.shop import Shop as DeployedShop
from demo.surroundings import LocalShop
from patchbay.cli.__main__ import main
from patchbay.errors import UserError
from patchbay.messaging.publishing import MAX_EVENT_BYTES
from patchbay.operations.catalogue.catalogue import known_events
from patchbay.operations.catalogue.event_file import read_events
from patchbay.operations.catalogue.publish import publish
from patchbay.processes.waiting import wait_until
from tests.shop import Shop

ROOT = Path(__file__).parent.parent.parent
DATA = {"order_id": "order-1", "customer_id": "00001", "items": 1, "amount": 11.77}
PLACED = {"type": "OrderPlaced", "data": DATA}
METADATA = {
    "id": "7d0c2f1e-5b1e-4c55-9d3e-0a6f0f6f5f01",
    "version": 1,
    "correlation_id": "by-hand",
    "published_at": "2026-01-01T12:00:00Z",
}
ENTRY = {
    "Source": "shop.orders",
    "DetailType": "OrderPlaced",
    "Detail": json.dumps({"metadata": METADATA, "data": DATA}),
}
DELIVERED = {
    "version": "0",
    "source": "shop.orders",
    "detail-type": "OrderPlaced",
    "detail": {"metadata": METADATA, "data": DATA},
}


def lines(*values: Any) -> str:
    return "\n".join(map(json.dumps, values))


def refused(text: str, stage: str = "dev") -> list[str]:
    """Return the lines of the error for a file."""
    with pytest.raises(UserError) as failure:
        read_events(text, stage)
    return str(failure.value).splitlines()


# The formats of a file


@pytest.mark.parametrize(
    ("text", "begin_in"),
    [
        (lines(PLACED), [1]),
        (lines(PLACED, PLACED, PLACED), [1, 2, 3]),
        (f"\n\n{lines(PLACED)}\n\n{lines(PLACED)}\n", [3, 5]),
        (json.dumps([PLACED, PLACED]), [1, 1]),
        (json.dumps([PLACED, PLACED], indent=1), [2, 11]),
        (lines(PLACED, ENTRY, DELIVERED), [1, 2, 3]),
    ],
)
def test_a_file_holds_one_event_a_list_or_several_events(text: str, begin_in: list[int]) -> None:
    assert [each.line for each in read_events(text, "dev")] == begin_in


def test_each_gets_an_envelope_and_begins_a_journey() -> None:
    first, second = read_events(lines(PLACED, PLACED), "dev")
    detail = json.loads(first.event.detail)
    assert OrderPlaced.model_validate(detail["data"]).amount == Decimal("11.77")
    assert detail["metadata"]["correlation_id"] == first.correlation_id
    assert first.event.event_id != second.event.event_id
    assert first.correlation_id != second.correlation_id


def test_an_event_keeps_its_correlation_id_or_gets_the_given_one() -> None:
    own = {**PLACED, "correlation_id": "its-own"}
    journeys = [each.correlation_id for each in read_events(lines(own, PLACED), "dev", "given")]
    assert journeys == ["its-own", "given"]


@pytest.mark.parametrize("entry", [ENTRY, DELIVERED])
def test_an_event_with_an_envelope_keeps_it(entry: dict[str, Any]) -> None:
    (only,) = read_events(lines(entry), "dev")
    assert (only.event.event_id, only.correlation_id) == (METADATA["id"], "by-hand")
    assert only.has_own_id


def test_data_that_is_too_large_for_the_bus_is_deposited() -> None:
    declined = {"order_id": "order-1", "customer_id": "1", "amount": 1, "reason": "é" * 600_000}
    (large,) = read_events(lines({"type": "PaymentDeclined", "data": declined}), "dev")
    assert large.event.deposit
    assert large.event.size < MAX_EVENT_BYTES


# The files that are refused


def test_every_problem_is_listed_with_its_line_and_field() -> None:
    wrong = {**DATA, "items": 0, "customer_id": 7}
    del wrong["amount"]
    assert refused(lines(PLACED, {"type": "OrderPlaced", "data": wrong}, [], PLACED)) == [
        "Nothing is published:",
        "line 2: OrderPlaced.amount: Field required",
        "line 2: OrderPlaced.customer_id: Input should be a valid string, not 7",
        "line 2: OrderPlaced.items: Input should be greater than 0, not 0",
        'line 3: an event is an object like {"type": …, "data": {…}}, not []',
    ]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"type": "OrderPlacd", "data": DATA}, "There is no event 'OrderPlacd'. Did you mean"),
        ({"type": 5, "data": DATA}, "type: it must be an event's name"),
        ({"data": DATA}, "type: it must be an event's name"),
        ({"type": "OrderPlaced"}, "OrderPlaced: Input should be a valid dictionary"),
        ({**PLACED, "corelation_id": "x"}, 'unknown field "corelation_id": the fields are type'),
        ({**PLACED, "correlation_id": 7}, "correlation_id: Input should be a valid string, not 7"),
        (
            {"type": "OrderPlaced", "data": {**DATA, "ammount": 1}},
            "OrderPlaced has no field \"ammount\". Did you mean 'amount'?",
        ),
        ({**ENTRY, "EventBusName": "records-prod"}, 'for the bus "records-prod", not for'),
        ({**ENTRY, "Source": "shop.payments"}, "Source: OrderPlaced is from shop.orders, not"),
        ({**ENTRY, "Detail": "{"}, "Detail: this is not JSON"),
        (
            {**ENTRY, "Detail": json.dumps(DATA)},
            "Detail: the envelope (metadata and data) is missing",
        ),
        ({**DELIVERED, "source": None}, "source: OrderPlaced is from shop.orders, not null"),
        (
            {**DELIVERED, "detail": {"metadata": {**METADATA, "id": "x"}, "data": DATA}},
            "metadata.id: Input should be a valid UUID",
        ),
        (
            {**DELIVERED, "detail": {"metadata": {**METADATA, "version": 2}, "data": DATA}},
            "metadata.version: OrderPlaced is at version 1, not 2",
        ),
    ],
)
def test_an_event_that_does_not_match_its_contract_is_refused(value: Any, why: str) -> None:
    (_, problem) = refused(lines(value))
    assert problem.startswith("line 1: ")
    assert why in problem


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "The file holds no event"),
        ("[]", "The file holds no event"),
        ("\n{oops", "line 2, column 2: this is not JSON"),
        (lines(PLACED) + "\nnonsense", "line 2, column 1: this is not JSON"),
        ("[" + lines(PLACED), "line 1: a comma or a closing bracket is missing"),
        ("[" + lines(PLACED) + ",", "line 1: the list has no closing bracket"),
        ("[\n" + lines(PLACED, PLACED) + "]", "line 3: a comma or a closing bracket is missing"),
        ("[]\n[]", "line 2: there is text after the list"),
        ('{"type": "OrderPlaced", "data": {"amount": NaN}}', "NaN is not a JSON number"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_is_not_json_is_refused_with_the_line(text: str, why: str) -> None:
    assert why in refused(text)[0]


def test_an_invalid_value_is_printed_short_and_escaped() -> None:
    hostile = {"type": "OrderPlaced", "data": {**DATA, "order_id": "\x1b]0;owned\x07" + "x" * 9999}}
    (_, problem) = refused(lines(hostile))
    assert problem.isprintable()
    assert len(problem) < 300


def test_of_a_thousand_problems_it_lists_the_first_and_counts_the_rest() -> None:
    problems = refused(lines(*[{"type": "OrderPlaced", "data": {}}] * 300))
    assert len(problems) < 30
    assert problems[-1] == "… and 1180 more"


# The events that are published


def test_a_published_event_is_handled_like_an_event_of_a_service(cloud: Shop) -> None:
    events = read_events(lines(*[PLACED] * 12), "dev", "by-hand")
    publish(cloud, "dev", events)
    cloud.settle()
    ids = [each.event.event_id for each in events]
    assert [event.id for event in cloud.published("OrderPlaced")] == ids
    assert sorted(cloud.handled("payments")) == sorted(ids)


def test_a_consumer_skips_an_event_that_it_has_handled_before(cloud: Shop) -> None:
    for _ in range(2):
        publish(cloud, "dev", read_events(lines(ENTRY), "dev"))
        cloud.settle()
    assert cloud.handled("payments") == [METADATA["id"]]


def test_a_stage_that_is_not_deployed_is_named(cloud: Shop) -> None:
    with pytest.raises(UserError, match="no bus records-prod: is the stage 'prod' deployed"):
        publish(cloud, "prod", read_events(lines(PLACED), "prod"))


def test_events_that_the_bus_refuses_are_listed_by_line(
    cloud: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = {"ErrorCode": "AccessDenied", "ErrorMessage": "no events:PutEvents"}
    answer = {"Entries": [{"EventId": "1"}, refusal]}
    monkeypatch.setattr(cloud.client("events"), "put_events", lambda **request: answer)
    with pytest.raises(UserError, match=r"(?s)no events:PutEvents.* on the lines 2\."):
        publish(cloud, "dev", read_events(lines(PLACED, PLACED), "dev"))


# The command


def test_the_event_in_the_docs_can_be_published(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(ROOT / "docs" / "event.json")
    assert main(["publish", file, "--stage", "local", "--dry-run"]) == 0
    assert "Would put 1 BestsellerChanged on the bus records-local" in capsys.readouterr().out


def test_the_examples_of_the_catalogue_can_be_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = [event.to_publish for event in known_events(None)]
    file = tmp_path / "examples.json"
    file.write_text(json.dumps(examples))
    assert main(["publish", str(file), "--dry-run", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [each["type"] for each in data] == [each["type"] for each in examples]
    assert not any(each["published"] for each in data)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"type": "OrderPlaced"}\n\xff', "line 2: this is not UTF-8."),
        (None, "can't be read: No such file or directory."),
    ],
)
def test_a_file_that_can_not_be_read_is_an_error(
    content: bytes | None, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "events.json"
    if content:
        file.write_bytes(content)
    assert main(["publish", str(file)]) == 1
    assert why in capsys.readouterr().err


def test_on_prod_it_prints_what_it_would_do_and_needs_yes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "events.json"
    file.write_text(lines(PLACED, PLACED))
    assert main(["publish", str(file), "--stage", "prod"]) == 1
    error = capsys.readouterr().err
    assert "That would put 2 OrderPlaced on the bus records-prod" in error
    assert "add --yes" in error


@pytest.mark.embedded
def test_published_events_of_any_size_reach_their_consumers(
    running: LocalShop, shop: DeployedShop, purchases: Iterator[Purchase]
) -> None:
    order = shop.place(next(purchases))
    declined = {"order_id": order, "customer_id": "00001", "amount": 1}
    events = [
        {"type": "PaymentDeclined", "data": {**declined, "reason": reason}}
        for reason in ("too little", "too much " * 150_000)
    ]
    publish(running.cloud, STAGE, read_events(lines(*events), STAGE, order))
    declines = ("Payment declined", order)
    wait_until(lambda: shop.mails()[declines] == 2, "a mail for each of the two", 90)
