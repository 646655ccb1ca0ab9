import json
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from patchbay.events.event import Event
from patchbay.messaging import claim_check
from patchbay.messaging import publishing as publishing
from patchbay.messaging.claim_check import Deposit
from patchbay.messaging.errors import EventTooLarge, PublishFailed, Reject
from patchbay.messaging.publishing import (
    ATTEMPTS,
    BACKOFF_CAP,
    MAX_ENTRIES,
    MAX_EVENT_BYTES,
    MAX_REQUEST_BYTES,
    Outgoing,
    packed,
    publish,
    send,
)
from tests.patchbay.messaging.fixtures import DeadLetters, Published
from tests.patchbay.messaging.queues import ConsumerQueue
from tests.patchbay.messaging.recorder import Recorder, a_picking, pickings


class Letter(Event):
    """An event of any size."""

    text: str


SOURCE, DETAIL_TYPE = "greenhouse.tests", "Letter"


def outgoing(size: int, name: str | None = None) -> Outgoing:
    """An event of that many bytes."""
    detail = json.dumps({"x": ""})
    padding = size - len(SOURCE) - len(DETAIL_TYPE) - len(detail)
    return Outgoing(
        event_id=name or str(uuid4()),
        source=SOURCE,
        detail_type=DETAIL_TYPE,
        detail=json.dumps({"x": "." * padding}),
    )


def letter_of(size: int, character: str = ".") -> Letter:
    """Return an event that has exactly that many bytes on the bus."""
    empty = publishing.prepare(Letter(text="")).size
    count, rest = divmod(size - empty, len(character.encode()))
    return Letter(text=character * count + "." * rest)


class Bus:
    """A bus that refuses the given entries, and records each request."""

    def __init__(self, refuse: Callable[[int, str], str | None]) -> None:
        self.requests: list[list[str]] = []
        self.accepted: list[str] = []
        self._refuse = refuse

    def put_events(self, *, Entries: Sequence[Any]) -> dict[str, Any]:  # noqa: N803 - boto3's
        number = len(self.requests)
        details = [entry["Detail"] for entry in Entries]
        self.requests.append(details)
        codes = [self._refuse(number, detail) for detail in details]
        self.accepted += [
            detail for detail, code in zip(details, codes, strict=True) if code is None
        ]
        answers = [
            {"ErrorCode": code, "ErrorMessage": "sorry"} if code else {"EventId": str(uuid4())}
            for code in codes
        ]
        return {"FailedEntryCount": sum(map(bool, codes)), "Entries": answers}


UseBus = Callable[[Callable[[int, str], str | None]], Bus]


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> UseBus:
    """Puts a bus in place that refuses: it is asked with the request's number and the detail."""

    def use(refuse: Callable[[int, str], str | None]) -> Bus:
        made = Bus(refuse)
        monkeypatch.setattr(publishing, "_client", lambda: made)
        return made

    return use


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the waits, in seconds, in place of sleeping."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


def named(number: int) -> str:
    return json.dumps({"number": number})


def numbered(count: int) -> list[Outgoing]:
    """Events whose details tell them apart."""
    return [
        Outgoing(event_id=f"id-{n}", source=SOURCE, detail_type=DETAIL_TYPE, detail=named(n))
        for n in range(count)
    ]


# What goes on the bus


def test_an_event_is_on_the_bus_in_its_envelope(published: Published) -> None:
    publish(a_picking())
    (event,) = published()
    assert (event.source, event.detail_type) == ("greenhouse.samples", "BedPicked")
    assert event.data == {
        "bed_id": "bed-1",
        "picker_id": "picker-1",
        "crates": 2,
        "kilos": 9.99,
    }
    assert event.metadata.version == 1


def test_all_events_are_put_on_the_bus_in_their_order(published: Published) -> None:
    publish(*pickings(25))
    assert [event.data["bed_id"] for event in published()] == [o.bed_id for o in pickings(25)]


def test_publishing_no_events_sends_no_request(bus: UseBus) -> None:
    accepting = bus(lambda *_: None)
    publish()
    assert accepting.requests == []


def test_the_largest_event_reaches_a_queue(published: Published) -> None:
    publish(letter_of(MAX_EVENT_BYTES))
    assert len(published()) == 1


# Packing


@pytest.mark.parametrize(
    ("count", "requests"), [(1, [1]), (10, [10]), (11, [10, 1]), (20, [10, 10]), (21, [10, 10, 1])]
)
def test_a_request_has_ten_events_at_most(bus: UseBus, count: int, requests: list[int]) -> None:
    accepting = bus(lambda *_: None)
    publish(*pickings(count))
    assert [len(request) for request in accepting.requests] == requests


def test_a_request_may_be_exactly_as_large_as_the_limit() -> None:
    half = MAX_REQUEST_BYTES // 2
    assert [len(request) for request in packed([outgoing(half), outgoing(half)])] == [2]


def test_a_byte_over_the_limit_is_another_request() -> None:
    half = MAX_REQUEST_BYTES // 2
    assert [len(request) for request in packed([outgoing(half), outgoing(half + 1)])] == [1, 1]


def test_the_limit_is_eventbridge_s() -> None:
    assert (MAX_ENTRIES, MAX_REQUEST_BYTES) == (10, 1_048_576)


def test_the_size_is_that_of_the_entry_s_utf_8_bytes() -> None:
    event = Outgoing(
        event_id="-", source="greenhouse.ö", detail_type="Größe", detail='{"a": "€😀"}'
    )
    assert event.size == 13 + 7 + 16


SIZES = st.lists(
    st.sampled_from([100, 5_000, MAX_REQUEST_BYTES // 10, MAX_REQUEST_BYTES // 2])
    | st.integers(100, MAX_EVENT_BYTES),
    max_size=30,
)


@given(SIZES)
def test_packing_loses_nothing_keeps_the_order_and_fills_every_request(sizes: list[int]) -> None:
    events = [Sized(size) for size in sizes]
    requests = list(packed(events))
    assert [event for request in requests for event in request] == events
    for request in requests:
        assert 1 <= len(request) <= MAX_ENTRIES
        assert sum(event.size for event in request) <= MAX_REQUEST_BYTES
    for request, following in pairwise(requests):
        is_full = len(request) == MAX_ENTRIES
        size = sum(event.size for event in request) + following[0].size
        assert is_full or size > MAX_REQUEST_BYTES


class Sized(Outgoing):
    """An event that has a size without having to be that large."""

    def __init__(self, size: int) -> None:
        super().__init__(event_id=str(uuid4()), source="", detail_type="", detail="")
        object.__setattr__(self, "_size", size)

    @property
    def size(self) -> int:
        size: int = self.__dict__["_size"]
        return size


# What is too large


@pytest.fixture
def deposits(monkeypatch: pytest.MonkeyPatch) -> list[Deposit]:
    """Return the data that goes to S3 instead of the bus."""
    made: list[Deposit] = []
    monkeypatch.setattr(claim_check, "deposit", made.append)
    return made


@pytest.mark.parametrize("character", [".", "ü", "€", "😀"])
def test_an_event_at_the_limit_is_on_the_bus_and_a_byte_more_goes_to_s3(
    bus: UseBus, deposits: list[Deposit], character: str
) -> None:
    accepting = bus(lambda *_: None)
    publish(letter_of(MAX_EVENT_BYTES, character))
    assert deposits == []
    publish(letter_of(MAX_EVENT_BYTES + 1, character))
    (deposit,) = deposits
    whole, reduced = map(json.loads, accepting.accepted)
    assert "claim" not in whole["metadata"]
    assert reduced["data"] == {}
    assert reduced["metadata"]["claim"]["key"] == deposit.key
    assert json.loads(deposit.body)["text"].startswith(character)


def test_the_data_is_in_s3_before_the_event_is_on_the_bus(
    bus: UseBus, deposits: list[Deposit]
) -> None:
    refusing = bus(lambda *_: "AccessDenied")
    with pytest.raises(PublishFailed):
        publish(letter_of(MAX_EVENT_BYTES + 1))
    assert len(deposits) == 1
    assert refusing.accepted == []


def too_large() -> Letter:
    """Return an event with more data than consumers can read."""
    return Letter(text="." * claim_check.MAX_DATA_BYTES)


def test_if_one_event_is_too_large_none_is_sent(bus: UseBus, deposits: list[Deposit]) -> None:
    accepting = bus(lambda *_: None)
    with pytest.raises(EventTooLarge, match=r"has 33,554,444 bytes of data; .* 33,554,432 at most"):
        publish(*pickings(10), letter_of(MAX_EVENT_BYTES + 1), too_large())
    assert accepting.requests == []
    assert deposits == []


def test_a_consumer_that_publishes_too_large_an_event_is_rejected_not_retried(
    queue: ConsumerQueue, dead_letters: DeadLetters
) -> None:
    recorder = Recorder(too_large())
    assert queue.deliver(recorder.handler, a_picking()) == []
    (dead_letter,) = dead_letters()
    assert "Store the data yourself" in dead_letter.reason
    assert issubclass(EventTooLarge, Reject)


# What is refused


def test_only_the_throttled_entries_are_sent_again(bus: UseBus, waits: list[float]) -> None:
    refused = {named(1), named(3)}
    flaky = bus(
        lambda number, detail: (
            "ThrottlingException" if (detail in refused and number == 0) else None
        )
    )
    send(numbered(5))
    assert flaky.requests == [[named(n) for n in range(5)], [named(1), named(3)]]
    assert sorted(flaky.accepted) == [named(n) for n in range(5)]
    assert len(waits) == 1


@pytest.mark.usefixtures("longest_backoff")
def test_it_backs_off_and_finally_gives_up(bus: UseBus, waits: list[float]) -> None:
    down = bus(lambda *_: "InternalFailure")
    with pytest.raises(PublishFailed, match="InternalFailure: sorry"):
        send(numbered(1))
    assert len(down.requests) == ATTEMPTS == 5
    assert waits == [0.1, 0.2, 0.4, 0.8]
    assert max(waits) <= BACKOFF_CAP


def test_a_permanent_refusal_is_not_retried(bus: UseBus, waits: list[float]) -> None:
    strict = bus(
        lambda _, detail: "NotAuthorizedForSourceException" if detail == named(1) else None
    )
    with pytest.raises(PublishFailed, match="NotAuthorizedForSourceException") as failure:
        send(numbered(3))
    assert (len(strict.requests), waits) == (1, [])
    assert "1 of 3 events" in str(failure.value)
    assert "Letter id-1" in str(failure.value)
    assert "id-0" not in str(failure.value)


def test_the_failure_names_the_refused_events_and_the_unsent_ones(bus: UseBus) -> None:
    bus(lambda _, detail: "InternalFailure" if detail == named(4) else None)
    with pytest.raises(PublishFailed) as failure:
        send(numbered(12))
    assert str(failure.value) == (
        "3 of 12 events were not published (InternalFailure: sorry), 2 of them not sent "
        "after that: Letter id-4, Letter id-10, Letter id-11"
    )


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutEvents"),
        EndpointConnectionError(endpoint_url="https://events.us-east-1.amazonaws.com"),
    ],
)
def test_a_request_that_fails_as_a_whole_names_all_of_its_events(
    bus: UseBus, error: Exception
) -> None:
    def fail(number: int, detail: str) -> None:
        raise error

    bus(fail)
    with pytest.raises(PublishFailed, match=r"2 of 2 events .*Letter id-0, Letter id-1") as failure:
        send(numbered(2))
    assert failure.value.__cause__ is error
    assert str(error) in str(failure.value)


def test_a_bus_that_does_not_exist_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_BUS_NAME", "another")
    with pytest.raises(PublishFailed, match="BedPicked"):
        publish(a_picking())


def test_a_consumer_whose_events_were_refused_is_retried(queue: ConsumerQueue, bus: UseBus) -> None:
    bus(lambda *_: "NotAuthorizedForSourceException")
    order = a_picking()
    assert queue.deliver(Recorder(a_picking()).handler, order) == [order]


CODES = st.sampled_from(
    [None, None, "InternalFailure", "ThrottlingException", "NotAuthorizedForSourceException"]
)


@given(st.integers(1, 25), st.data())
def test_every_event_is_on_the_bus_or_named_in_the_failure(count: int, data: st.DataObject) -> None:
    chaos = Bus(lambda *_: data.draw(CODES))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "_client", lambda: chaos)
        try:
            send(numbered(count))
            named_as_lost = set()
        except PublishFailed as failure:
            text = str(failure)
            named_as_lost = set(text[text.rindex(": ") + 2 :].split(", "))
    lost = {f"Letter id-{n}" for n in range(count) if named(n) not in chaos.accepted}
    assert named_as_lost == lost
    assert len(chaos.accepted) == len(set(chaos.accepted))


def test_a_consumer_that_publishes_nothing_creates_no_client(
    queue: ConsumerQueue, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never() -> None:
        raise AssertionError("a client was made")

    monkeypatch.setattr(publishing, "_client", never)
    assert queue.deliver(recorder.handler, a_picking()) == []
    assert recorder.handled == ["bed-1"]
