"""What a consumer publishes has an id that follows from what it was published for."""

from uuid import UUID

from contracts.orders import OrderPlaced
from contracts.payments import PaymentDeclined, PaymentTaken
from patchbay.events.event import Event
from patchbay.messaging.cause import Cause, caused_by, current_cause
from patchbay.messaging.consuming import consumer
from patchbay.messaging.publishing import publish
from tests.functions.conftest import Clock, Published
from tests.patchbay.messaging.recorder import AN_EVENT_ID, Recorder, an_order
from tests.queues import ConsumerQueue
from tests.wire import on_the_wire

ORDER = on_the_wire(an_order(), id=AN_EVENT_ID, correlation_id="j-1")
TAKEN = PaymentTaken(order_id="order-1", amount=9.99)
DECLINED = PaymentDeclined(order_id="order-1", customer_id="c", amount=9.99, reason="no funds")


def ids(published: Published) -> list[UUID]:
    return [event.metadata.id for event in published()]


def test_what_is_published_names_its_cause_and_carries_the_journey_on(
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
    assert recorder.handled == ["order-1"]
    assert first == second


def test_an_id_follows_from_the_cause_the_consumer_the_type_and_the_position() -> None:
    cause = Cause(seed=f"{AN_EVENT_ID}/loyalty", correlation_id="j-1")
    # Written down: were they to change with a release, what is retried across it would be doubled.
    assert [str(cause.metadata_for(event).id) for event in (TAKEN, TAKEN, DECLINED)] == [
        "1dcae932-5703-5a2d-b521-e3deaa2b3ef0",
        "162ce204-628b-5959-9f1f-51762a656668",
        "90dcf4bc-68b0-581f-9cf3-abba29d89ff6",
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
    def handler(order: OrderPlaced) -> None:
        publish(TAKEN)
        publish(TAKEN)

    queue.deliver(handler, ORDER)
    assert len(set(ids(published))) == 2


def test_an_id_does_not_depend_on_what_else_is_published(
    queue: ConsumerQueue, published: Published
) -> None:
    queue.deliver(Recorder(DECLINED, TAKEN).handler, ORDER)
    queue.deliver(Recorder(TAKEN).handler, ORDER)
    alone = Cause(seed=f"{AN_EVENT_ID}/loyalty", correlation_id="j-1").metadata_for(TAKEN)
    assert alone.id in ids(published)


def test_two_consumers_of_one_event_publish_different_ids(
    queue: ConsumerQueue, published: Published
) -> None:
    for each in (queue, ConsumerQueue("statistics")):
        each.deliver(Recorder(TAKEN).handler, ORDER)
    assert len(set(ids(published))) == 2


def test_two_causes_give_different_ids(queue: ConsumerQueue, published: Published) -> None:
    queue.deliver(Recorder(TAKEN).handler, an_order("order-1"), an_order("order-2"))
    assert len(set(ids(published))) == 2


def test_each_event_of_a_batch_has_its_own_journey(
    queue: ConsumerQueue, published: Published
) -> None:
    batch = [on_the_wire(an_order(), correlation_id=journey) for journey in ("j-1", "j-2")]
    queue.deliver(Recorder(TAKEN).handler, *batch)
    assert [event.metadata.correlation_id for event in published()] == ["j-1", "j-2"]


def test_outside_of_a_handler_every_publishing_is_a_journey_of_its_own(
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


def test_a_cause_within_a_cause_gives_way_to_it_afterwards() -> None:
    outer, inner = (Cause(seed=name, correlation_id=name) for name in ("outer", "inner"))
    with caused_by(outer):
        with caused_by(inner):
            assert current_cause() is inner
        assert current_cause() is outer
    assert current_cause() is not outer


def test_a_version_is_its_event_s_own() -> None:
    class Renewed(Event):
        version = 7

    assert Cause(seed="a", correlation_id="a").metadata_for(Renewed()).version == 7
