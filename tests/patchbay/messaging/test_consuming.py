import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patchbay.messaging.consuming import consumer, subscriptions
from patchbay.messaging.errors import Reject
from tests.patchbay.messaging.fixtures import Clock, DeadLetters, Lines, Metric
from tests.patchbay.messaging.queues import ConsumerQueue
from tests.patchbay.messaging.recorder import AN_EVENT_ID, Recorder, a_picking, pickings
from tests.patchbay.messaging.samples import BedPicked, CratesRefused, CratesSold
from tests.patchbay.messaging.wire import Message, on_the_wire


def without(path: str) -> dict[str, Any]:
    """An event that lacks one part."""
    event = on_the_wire(a_picking())
    *parents, last = path.split(".")
    inner = event
    for parent in parents:
        inner = inner[parent]
    del inner[last]
    return event


def with_data(**fields: Any) -> dict[str, Any]:
    """An event with other data than its contract has."""
    event = on_the_wire(a_picking())
    event["detail"]["data"] |= fields
    return event


def with_metadata(**fields: Any) -> dict[str, Any]:
    """An event with another envelope than messaging gives it."""
    event = on_the_wire(a_picking())
    event["detail"]["metadata"] |= fields
    return event


def renamed(detail_type: Any) -> dict[str, Any]:
    return on_the_wire(a_picking()) | {"detail-type": detail_type}


# What it handles


def test_an_event_is_unwrapped_and_handled(queue: ConsumerQueue) -> None:
    received = []

    @consumer
    def handler(picked: BedPicked) -> None:
        received.append(picked)

    assert queue.deliver(handler, a_picking()) == []
    assert received == [a_picking()]
    assert queue.is_empty()


def test_the_annotation_may_be_a_union_and_the_detail_type_picks_the_model(
    queue: ConsumerQueue,
) -> None:
    received: list[CratesSold | CratesRefused] = []
    taken = CratesSold(bed_id="bed-1", kilos=9.99, sale_id="p")
    declined = CratesRefused(bed_id="bed-2", picker_id="c", kilos=1, reason="overripe")

    @consumer
    def handler(outcome: CratesSold | CratesRefused) -> None:
        received.append(outcome)

    queue.deliver(handler, declined, taken)
    assert received == [declined, taken]


def test_a_field_that_the_contract_does_not_know_is_ignored(
    queue: ConsumerQueue, recorder: Recorder
) -> None:
    assert queue.deliver(recorder.handler, with_data(gift_wrapped=True)) == []
    assert recorder.handled == ["bed-1"]


def test_an_older_version_is_handled(queue: ConsumerQueue) -> None:
    received = []

    class Renewed(BedPicked):
        version = 3

    @consumer
    def handler(picked: Renewed) -> None:
        received.append(picked.bed_id)

    queue.deliver(handler, on_the_wire(a_picking(), version=2) | {"detail-type": "Renewed"})
    assert received == ["bed-1"]


def test_a_consumer_is_named_after_its_function() -> None:
    @consumer
    def greet(picked: BedPicked) -> None:
        """Greet the picker."""

    assert (greet.__name__, greet.__doc__) == ("greet", "Greet the picker.")


# What it refuses to be made of


def of_nothing() -> None: ...
def of_two(first: BedPicked, second: CratesSold) -> None: ...
def of_a_string(text: str) -> None: ...
def of_an_optional_event(picked: BedPicked | None) -> None: ...
def of_a_list(events: list[BedPicked]) -> None: ...


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (of_nothing, "of_nothing takes 0 annotated parameters"),
        (of_two, "of_two takes 2 annotated parameters"),
        (of_a_string, "of_a_string takes <class 'str'>, which is not an Event"),
        (of_an_optional_event, "of_an_optional_event takes <class 'NoneType'>"),
        (of_a_list, r"of_a_list takes .*, which is not an Event"),
    ],
)
def test_an_annotation_that_names_no_event_is_refused_at_import(
    function: Callable[..., None], problem: str
) -> None:
    with pytest.raises(TypeError, match=problem):
        consumer(function)


def test_the_subscriptions_of_a_function_are_its_annotation() -> None:
    def handler(outcome: CratesSold | CratesRefused) -> None: ...

    assert subscriptions(handler) == {
        "CratesSold": CratesSold,
        "CratesRefused": CratesRefused,
    }


# Permanent failures


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("this is no JSON", "is not a valid event: JSONDecodeError"),
        ("[]", "is not a valid event: TypeError"),
        ("17", "is not a valid event"),
        ("null", "is not a valid event"),
        ("[" * 20_000, "is not a valid event: RecursionError"),
        (without("detail-type"), "is not a valid event: KeyError: 'detail-type'"),
        (without("detail"), "is not a valid event: KeyError: 'detail'"),
        (without("detail.metadata"), "is not a valid event: KeyError: 'metadata'"),
        (without("detail.data"), "is not a valid event: KeyError: 'data'"),
        (without("detail.metadata.id"), "breaks its contract: id: Field required"),
        (
            with_metadata(published_at="2026-01-01T12:00:00"),
            "breaks its contract: published_at: Input should have timezone info",
        ),
        (without("detail.data.bed_id"), "breaks its contract: bed_id: Field required"),
        (with_data(crates=0), "breaks its contract: crates: Input should be greater than 0"),
        (with_data(kilos="cheap"), "breaks its contract: kilos: Input should be a valid decimal"),
        (with_data(crates="many", kilos=-1), "crates: .*; kilos: "),
        (renamed("CratesSold"), "'CratesSold' is not one of this consumer's events: BedPicked"),
        (renamed(["BedPicked"]), "is not a valid event: TypeError"),
        (
            on_the_wire(a_picking(), version=2),
            "BedPicked version 2 is newer than version 1, the one that this consumer knows",
        ),
    ],
)
def test_an_event_that_breaks_its_contract_is_a_dead_letter_at_once_with_the_reason(
    queue: ConsumerQueue,
    recorder: Recorder,
    dead_letters: DeadLetters,
    message: Message,
    reason: str,
) -> None:
    assert queue.deliver(recorder.handler, message) == []
    (dead_letter,) = dead_letters()
    assert re.search(reason, dead_letter.reason)
    assert recorder.attempted == []
    assert queue.is_empty()


def test_a_dead_letter_is_the_unchanged_message_with_its_consumer(
    queue: ConsumerQueue, recorder: Recorder, dead_letters: DeadLetters
) -> None:
    body = '{"detail-type":  "Ördered", "detail": {}}'
    message_id = queue.send(body)
    queue.deliver(recorder.handler)
    (dead_letter,) = dead_letters()
    assert dead_letter.body == body
    assert dead_letter.consumer == "pickers"
    assert dead_letter.original_message_id == message_id
    assert dead_letter.attempts == 1


def test_a_handler_s_reject_makes_a_dead_letter_at_once(
    queue: ConsumerQueue, recorder: Recorder, dead_letters: DeadLetters
) -> None:
    recorder.fail(error=Reject("the picker has left"))
    assert queue.deliver(recorder.handler, a_picking()) == []
    assert [dead_letter.reason for dead_letter in dead_letters()] == ["the picker has left"]
    assert queue.is_empty()


def test_a_dead_letter_s_attempts_are_counted(
    queue: ConsumerQueue, recorder: Recorder, dead_letters: DeadLetters, clock: Clock
) -> None:
    recorder.fail()
    recorder.fail(error=Reject("it has been enough"))
    queue.deliver(recorder.handler, a_picking())
    clock.shift(1.01)
    assert queue.deliver(recorder.handler) == []
    assert [dead_letter.attempts for dead_letter in dead_letters()] == [2]


def test_a_reject_without_a_reason_is_a_dead_letter_too(
    queue: ConsumerQueue, recorder: Recorder, dead_letters: DeadLetters
) -> None:
    recorder.fail(error=Reject())
    assert queue.deliver(recorder.handler, a_picking()) == []
    assert [dead_letter.reason for dead_letter in dead_letters()] == ["Reject"]


def test_a_long_reason_is_truncated(
    queue: ConsumerQueue, recorder: Recorder, dead_letters: DeadLetters
) -> None:
    recorder.fail(error=Reject("x" * 5000))
    queue.deliver(recorder.handler, a_picking())
    assert [dead_letter.reason for dead_letter in dead_letters()] == ["x" * 1024]


def test_a_rejected_event_that_is_redriven_is_handled_again(
    queue: ConsumerQueue, recorder: Recorder
) -> None:
    recorder.fail(error=Reject("we had a bug"))
    event = on_the_wire(a_picking(), id=AN_EVENT_ID)
    queue.deliver(recorder.handler, event)
    queue.deliver(recorder.handler, event)
    assert recorder.handled == ["bed-1"]


def test_a_message_that_can_not_become_a_dead_letter_stays_in_the_queue(
    queue: ConsumerQueue, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "dead_letter_url", queue.url + "-that-is-not-there")
    poison = "this is no JSON"
    assert queue.deliver(recorder.handler, poison) == [poison]
    assert not queue.is_empty()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["detail-type", "detail", "metadata", "data"]),
    JSON,
)
def test_an_event_with_junk_in_any_place_is_never_retried(
    queue: ConsumerQueue, recorder: Recorder, part: str, junk: Any
) -> None:
    event = on_the_wire(a_picking())
    (event if part.startswith("detail") else event["detail"])[part] = junk
    assert queue.deliver(recorder.handler, event) == []
    assert recorder.attempted == []
    assert queue.is_empty()


# Transient failures


def test_a_failure_is_reported_and_the_message_is_retried(
    queue: ConsumerQueue, recorder: Recorder, dead_letters: DeadLetters, clock: Clock
) -> None:
    picked = a_picking()
    recorder.fail(times=2)
    assert queue.deliver(recorder.handler, picked) == [picked]
    clock.shift(1.01)
    assert queue.deliver(recorder.handler) == [picked]
    clock.shift(2.01)
    assert queue.deliver(recorder.handler) == []
    assert recorder.handled == ["bed-1"]
    assert queue.is_empty()
    assert dead_letters() == []


@pytest.mark.usefixtures("longest_backoff")
def test_a_failed_message_is_retried_after_the_backoff_and_not_after_the_queue_s_visibility_timeout(
    queue: ConsumerQueue, recorder: Recorder, clock: Clock
) -> None:
    recorder.fail(times=4)
    queue.deliver(recorder.handler, a_picking())
    for attempt, seconds in enumerate([1, 2, 4], start=2):
        clock.shift(seconds - 0.5)
        queue.deliver(recorder.handler)
        assert len(recorder.attempted) == attempt - 1
        clock.shift(0.51)
        queue.deliver(recorder.handler)
        assert len(recorder.attempted) == attempt


def test_a_poison_order_is_a_dead_letter_and_the_others_of_its_batch_are_handled(
    queue: ConsumerQueue, recorder: Recorder, dead_letters: DeadLetters
) -> None:
    first, broken, failing, last = pickings(4)
    recorder.fail(failing.bed_id)
    poison = on_the_wire(broken) | {"detail": {}}
    assert queue.deliver(recorder.handler, first, poison, failing, last) == [failing]
    assert recorder.handled == [first.bed_id, last.bed_id]
    assert [json.loads(dead_letter.body) for dead_letter in dead_letters()] == [poison]


def test_a_whole_batch_that_fails_is_still_reported_message_by_message(
    queue: ConsumerQueue, recorder: Recorder
) -> None:
    batch = pickings(3)
    for picked in batch:
        recorder.fail(picked.bed_id)
    assert queue.deliver(recorder.handler, *batch) == batch


def test_a_message_whose_visibility_can_not_be_changed_is_reported_as_failed(
    queue: ConsumerQueue, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    picked = a_picking()
    recorder.fail()
    queue.send(picked)
    records = queue.receive()
    monkeypatch.setattr(queue, "receive", lambda: [r | {"receiptHandle": "gone"} for r in records])
    assert queue.deliver(recorder.handler) == [picked]


# In order


def test_in_a_fifo_batch_a_failure_stops_the_later_ones_of_its_group_only(
    fifo_queue: ConsumerQueue, recorder: Recorder
) -> None:
    batch = first, second, third, fourth = pickings(4)
    for order, group in zip(batch, ["a", "b", "a", "b"], strict=True):
        fifo_queue.send(order, group=group)
    recorder.fail(first.bed_id)
    assert fifo_queue.deliver(recorder.handler) == [first, third]
    assert recorder.handled == [second.bed_id, fourth.bed_id]


def test_in_a_fifo_batch_a_dead_letter_stops_no_message_and_keeps_its_group(
    fifo_queue: ConsumerQueue, recorder: Recorder
) -> None:
    fifo_queue.send("this is no JSON", group="a")
    fifo_queue.send(a_picking(), group="a")
    assert fifo_queue.deliver(recorder.handler) == []
    assert recorder.handled == ["bed-1"]
    assert [dead_letter.body for dead_letter in fifo_queue.dead_letters()] == ["this is no JSON"]


def test_the_failure_of_one_batch_does_not_stop_the_group_in_the_next(
    fifo_queue: ConsumerQueue, recorder: Recorder
) -> None:
    batch = pickings(2)
    for picked in batch:
        fifo_queue.send(picked)
    records = fifo_queue.receive()
    recorder.fail()
    assert fifo_queue.run(recorder.handler, records) == batch
    assert fifo_queue.run(recorder.handler, records) == []
    assert recorder.handled == [picked.bed_id for picked in batch]


# What it tells


def test_a_handled_event_is_a_line_of_the_log(
    queue: ConsumerQueue, recorder: Recorder, lines: Lines
) -> None:
    event_id = uuid4()
    queue.deliver(recorder.handler, on_the_wire(a_picking(), id=event_id, correlation_id="j-1"))
    (line,) = lines("handled")
    assert line["correlation_id"] == "j-1"
    assert line["event_id"] == str(event_id)
    assert line["event_type"] == "BedPicked"
    assert line["attempt"] == 1
    assert line["level"] == "INFO"
    assert line["service"] == "service-under-test"
    assert line["duration_ms"] >= 0


def test_a_failure_is_a_line_of_the_log_with_its_reason_its_trace_and_the_next_attempt(
    queue: ConsumerQueue, recorder: Recorder, lines: Lines
) -> None:
    recorder.fail()
    queue.deliver(recorder.handler, on_the_wire(a_picking(), correlation_id="j-1"))
    (line,) = lines("failed")
    assert line["reason"] == "OutOfOrder: it does not work today"
    assert "OutOfOrder" in line["exception"]
    assert line["retry_in_seconds"] in (0, 1)
    assert (line["correlation_id"], line["attempt"]) == ("j-1", 1)
    assert lines("handled") == []


def test_the_log_has_the_number_of_the_attempt(
    queue: ConsumerQueue, recorder: Recorder, lines: Lines, clock: Clock
) -> None:
    recorder.fail()
    queue.deliver(recorder.handler, a_picking())
    clock.shift(1.01)
    queue.deliver(recorder.handler)
    assert [line["attempt"] for line in lines("handled")] == [2]


def test_a_rejection_is_a_line_of_the_log(
    queue: ConsumerQueue, recorder: Recorder, lines: Lines
) -> None:
    recorder.fail(error=Reject("no such picker"))
    message_id = queue.send(on_the_wire(a_picking(), correlation_id="j-1"))
    queue.deliver(recorder.handler)
    (line,) = lines("rejected")
    assert line["reason"] == "no such picker"
    assert (line["correlation_id"], line["message_id"]) == ("j-1", message_id)
    assert line["level"] == "ERROR"


def test_the_log_of_an_event_does_not_have_the_previous_events_journey(
    queue: ConsumerQueue, recorder: Recorder, lines: Lines
) -> None:
    order = on_the_wire(a_picking(), correlation_id="j-1")
    queue.deliver(recorder.handler, order, "this is no JSON")
    (line,) = lines("rejected")
    assert not {"correlation_id", "event_id", "event_type"} & line.keys()


def test_the_outcomes_of_events_are_counted(
    queue: ConsumerQueue, recorder: Recorder, metric: Metric
) -> None:
    good, failing = pickings(2)
    recorder.fail(failing.bed_id)
    twice = on_the_wire(good)
    queue.deliver(recorder.handler, twice, twice, failing, "this is no JSON")
    assert {name: metric(name) for name in ["Handled", "Repeated", "Failed", "Rejected"]} == {
        "Handled": [1],
        "Repeated": [1],
        "Failed": [1],
        "Rejected": [1],
    }


def test_the_age_of_an_event_is_measured_where_it_is_handled(
    queue: ConsumerQueue, recorder: Recorder, metric: Metric, clock: Clock
) -> None:
    past = datetime.now(UTC) - timedelta(seconds=2.5)
    future = datetime.now(UTC) + timedelta(hours=1)
    for time in (past, future):
        queue.deliver(recorder.handler, on_the_wire(a_picking(), published_at=time))
    assert metric("Age") == [2500, 0]


def test_metrics_name_the_service_and_belong_to_patchbay(
    queue: ConsumerQueue, recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    queue.deliver(recorder.handler, a_picking())
    (line,) = [line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    emf = json.loads(line)
    (definition,) = emf["_aws"]["CloudWatchMetrics"]
    assert definition["Namespace"] == "Patchbay"
    assert definition["Dimensions"] == [["service"]]
    assert emf["service"] == "service-under-test"
    units = {metric["Name"]: metric["Unit"] for metric in definition["Metrics"]}
    assert units == {"Handled": "Count", "Age": "Milliseconds"}
