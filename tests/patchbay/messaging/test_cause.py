"""Causes: the id of a published event derives from the event that is being handled."""

from uuid import UUID

from patchbay.events.event import Event
from patchbay.messaging.cause import Cause, caused_by, current_cause
from patchbay.messaging.consuming import consumer
from patchbay.messaging.publishing import publish
from tests.patchbay.messaging.fixtures import Clock, Published
from tests.patchbay.messaging.queues import ConsumerQueue
from tests.patchbay.messaging.recorder import AN_EVENT_ID, Recorder, a_picking
from tests.patchbay.messaging.samples import BedPicked, CratesRefused, CratesSold
from tests.patchbay.messaging.wire import on_the_wire

ORDER = on_the_wire(a_picking(), id=AN_EVENT_ID, correlation_id="j-1")
TAKEN = CratesSold(bed_id="bed-1", kilos=9.99)
DECLINED = CratesRefused(bed_id="bed-1", picker_id="c", kilos=9.99, reason="overripe")


def ids(published: Published) -> list[UUID]:
    return [event.metadata.id for event in published()]


def test_a_published_event_has_its_cause_and_its_journey(
    queue: ConsumerQueue, published: Published
) -> None:
    queue.deliver(Recorder(TAKEN).handler, ORDER)
    (event,) = published()
    assert event.metadata.causation_id == AN_EVENT_ID
    assert event.metadata.correlation_id == "j-1"
    assert event.metadata.version == 1


def test_a_retried_handler_publishes_the_same_ids_again(
    queue: ConsumerQueue, published: Published, clock: Clock
) -> None:
    recorder = Recorder(TAKEN, DECLINED)
    recorder.fail()
    queue.deliver(recorder.handler, ORDER)
    clock.shift(1.01)
    queue.deliver(recorder.handler)
    first, second = ids(published)[:2], ids(published)[2:]
    assert recorder.handled == ["bed-1"]
    assert first == second


def test_an_id_derives_from_the_cause_the_consumer_the_type_and_the_position() -> None:
    cause = Cause(seed=f"{AN_EVENT_ID}/pickers", correlation_id="j-1")
    # Written down: were they to change with a release, what is retried across it would be doubled.
    assert [str(cause.metadata_for(event).id) for event in (TAKEN, TAKEN, DECLINED)] == [
        "bb859258-8ad0-5872-888f-daa08bc228c6",
        "3cfb1c7e-abf2-5781-8240-f9461fa49a01",
        "e39a7580-6808-5b87-b3c2-00b8889934bf",
    ]


def test_two_events_of_one_type_have_different_ids(
    queue: ConsumerQueue, published: Published
) -> None:
    queue.deliver(Recorder(TAKEN, TAKEN, DECLINED).handler, ORDER)
    assert len(set(ids(published))) == 3


def test_two_calls_of_publish_give_different_ids(
    queue: ConsumerQueue, published: Published
) -> None:
    @consumer
    def handler(picked: BedPicked) -> None:
        publish(TAKEN)
        publish(TAKEN)

    queue.deliver(handler, ORDER)
    assert len(set(ids(published))) == 2


def test_an_id_does_not_depend_on_other_types_of_events(
    queue: ConsumerQueue, published: Published
) -> None:
    queue.deliver(Recorder(DECLINED, TAKEN).handler, ORDER)
    queue.deliver(Recorder(TAKEN).handler, ORDER)
    alone = Cause(seed=f"{AN_EVENT_ID}/pickers", correlation_id="j-1").metadata_for(TAKEN)
    assert alone.id in ids(published)


def test_two_consumers_of_one_event_publish_different_ids(
    queue: ConsumerQueue, published: Published
) -> None:
    for each in (queue, ConsumerQueue("statistics")):
        each.deliver(Recorder(TAKEN).handler, ORDER)
    assert len(set(ids(published))) == 2


def test_two_causes_give_different_ids(queue: ConsumerQueue, published: Published) -> None:
    queue.deliver(Recorder(TAKEN).handler, a_picking("bed-1"), a_picking("bed-2"))
    assert len(set(ids(published))) == 2


def test_each_event_of_a_batch_has_its_own_journey(
    queue: ConsumerQueue, published: Published
) -> None:
    batch = [on_the_wire(a_picking(), correlation_id=journey) for journey in ("j-1", "j-2")]
    queue.deliver(Recorder(TAKEN).handler, *batch)
    assert [event.metadata.correlation_id for event in published()] == ["j-1", "j-2"]


def test_outside_of_a_handler_each_publish_begins_a_journey(
    published: Published,
) -> None:
    publish(TAKEN)
    publish(TAKEN)
    first, second = (event.metadata for event in published())
    assert first.id != second.id
    assert first.correlation_id != second.correlation_id
    assert first.causation_id is second.causation_id is None


def test_a_handler_s_journey_ends_with_it(queue: ConsumerQueue, published: Published) -> None:
    recorder = Recorder()
    recorder.fail()
    queue.deliver(recorder.handler, ORDER)
    publish(TAKEN)
    assert published()[0].metadata.correlation_id != "j-1"


def test_after_an_inner_cause_the_outer_one_is_current_again() -> None:
    outer, inner = (Cause(seed=name, correlation_id=name) for name in ("outer", "inner"))
    with caused_by(outer):
        with caused_by(inner):
            assert current_cause() is inner
        assert current_cause() is outer
    assert current_cause() is not outer


def test_the_metadata_have_the_events_version() -> None:
    class Renewed(Event):
        version = 7

    assert Cause(seed="a", correlation_id="a").metadata_for(Renewed()).version == 7
