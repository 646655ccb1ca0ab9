"""The journeys of orders in the shop, found by any of their ids."""

import pytest

from patchbay.errors import UserError
from patchbay.operations.journeys.deliveries import Delivery
from patchbay.operations.journeys.journey import Step, journey
from patchbay.testkit.faults import Undeliverable
from tests.shop import OF_AN_ORDER, Shop, own


def flat(steps: list[Step]) -> list[Step]:
    """Return all steps, each before the steps that it caused."""
    return [each for step in steps for each in [step, *flat(step.after)]]


def of(steps: list[Step], event: str, consumer: str) -> Delivery:
    """Return the delivery of the journey's event of that type to a consumer."""
    (step,) = [each for each in flat(steps) if each.entry.type == event]
    (found,) = [each for each in step.deliveries if each.consumer == consumer]
    return found


def test_an_events_own_id_leads_to_the_whole_journey(cloud: Shop) -> None:
    order = cloud.place_order()
    cloud.place_order()
    cloud.settle()
    by_order = journey(cloud, "dev", order.order_id)
    types = [step.entry.type for step in flat(by_order)]
    assert own(types) == list(OF_AN_ORDER)
    for step in flat(by_order):
        assert flat(journey(cloud, "dev", step.entry.id)) == flat(by_order)
        assert flat(journey(cloud, "dev", step.entry.id.upper())) == flat(by_order)


@pytest.mark.parametrize(
    "id", ["", "no-such-order", "6f4ea8ab-5fc4-4b0c-a9b0-8bfb1c1d9a40", "x" * 3000, "\x1b[2J"]
)
def test_an_unknown_id_has_no_journey(cloud: Shop, id: str) -> None:
    with pytest.raises(UserError, match="has no journey") as raised:
        journey(cloud, "dev", id)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 400


def test_an_undelivered_event_is_shown_with_the_queue_in_which_it_waits(cloud: Shop) -> None:
    cloud.break_("notifications", with_=Undeliverable())
    order = cloud.place_order()
    cloud.advance(days=2)
    lost = of(journey(cloud, "dev", order.order_id), "OrderPlaced", "notifications")
    assert lost.undelivered
    assert "it waits in records-dev-notifications-undelivered" in lost.undelivered
    assert not lost.is_dead
    paid = of(journey(cloud, "dev", order.order_id), "OrderPlaced", "payments")
    assert (paid.undelivered, paid.handled_at is None) == (None, False)


def test_an_event_that_was_delivered_again_keeps_the_time_when_it_was_handled(
    cloud: Shop,
) -> None:
    order = cloud.place_order()
    cloud.settle()
    steps = journey(cloud, "dev", order.order_id)
    for _ in range(2):
        cloud.advance(minutes=1)
        cloud.replay()
        cloud.settle()
    later = journey(cloud, "dev", order.order_id)
    # The first keeps the ids of handled events, the second is naturally idempotent.
    for event, consumer in (("OrderPlaced", "payments"), ("PaymentTaken", "fulfilment")):
        before, after = of(steps, event, consumer), of(later, event, consumer)
        assert (before.repeats_in_words, after.repeats_in_words) == (
            "",
            ", and delivered again 2 times",
        )
        assert after.handled_at == before.handled_at


def test_a_consumer_that_starts_a_workflow_is_shown_with_its_execution(cloud: Shop) -> None:
    order = cloud.place_order()
    cloud.settle()
    execution = of(journey(cloud, "dev", order.order_id), "PaymentTaken", "fulfilment").execution
    assert execution
    assert execution.status == "SUCCEEDED"
    assert execution.stopped_at


def test_a_failed_workflow_has_its_reason(cloud: Shop) -> None:
    for state in ("ReserveStock", "PublishOrderUnfulfillable"):
        cloud.break_state("fulfilment", state, with_="AccessDenied")
    order = cloud.place_order()
    cloud.settle()
    execution = of(journey(cloud, "dev", order.order_id), "PaymentTaken", "fulfilment").execution
    assert execution
    assert execution.status == "FAILED"
    assert "AccessDenied" in str(execution.reason)
