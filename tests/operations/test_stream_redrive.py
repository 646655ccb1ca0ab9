"""Dead letters of a stream are redriven as long as the stream has their records."""

import json

import pytest

from patchbay.operations.dead_letters.redrive import redrive
from patchbay.operations.dead_letters.selection import Selection
from patchbay.operations.dead_letters.stream_redrive import GONE, NoRecords, records_of
from patchbay.testkit.faults import RefusesEntries
from patchbay.testkit.reading.arns import queue_url
from tests.shop import Shop
from tests.test_bestsellers import look_at, put_on_stream, views

BESTSELLERS = Selection(owner="bestsellers")


def position(cloud: Shop, *, start: str) -> str:
    """Return the body of a dead letter with a position in the storefront's stream."""
    stream = f"arn:aws:kinesis:us-east-1:123456789012:stream/{cloud.prefix}storefront"
    batch = {
        "shardId": "shardId-000000000000",
        "startSequenceNumber": start,
        "endSequenceNumber": start,
        "batchSize": 1,
        "streamArn": stream,
    }
    return json.dumps({"requestContext": {"condition": "x"}, "KinesisBatchInfo": batch})


def test_records_that_missed_their_window_are_counted_after_later_records(
    cloud: Shop,
) -> None:
    cloud.break_("bestsellers", with_=RuntimeError("broken"))
    look_at(cloud, "a", "a", "b")
    cloud.advance(hours=2)
    cloud.mend("bestsellers")
    look_at(cloud, "c")
    cloud.settle()
    assert views(cloud) == {"c": 1}
    (done,) = redrive(cloud, "dev", BESTSELLERS)
    assert (done.failed, done.after and done.after.count) == ({}, 0)
    cloud.settle()
    assert views(cloud) == {"a": 2, "b": 1, "c": 1}


def test_a_poison_record_becomes_a_dead_letter_again_and_affects_no_other(cloud: Shop) -> None:
    put_on_stream(cloud, b"poison")
    cloud.advance(hours=2)
    look_at(cloud, "a")
    redrive(cloud, "dev", BESTSELLERS)
    cloud.advance(hours=2)
    assert len(cloud.dead_letters("bestsellers")) == 1
    assert views(cloud) == {"a": 1}


def test_a_position_that_the_stream_no_longer_has_stays_with_its_reason(cloud: Shop) -> None:
    look_at(cloud, "a")
    url = queue_url(f"{cloud.prefix}bestsellers-failed")
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody=position(cloud, start="999"))
    (done,) = redrive(cloud, "dev", BESTSELLERS)
    assert list(done.failed.values()) == [GONE]
    assert done.after
    assert (done.after.count, done.after.in_flight) == (1, 0)


@pytest.mark.parametrize(
    "body", ["", "null", "{}", '{"KinesisBatchInfo": 5}', '{"DDBStreamBatchInfo": {"shardId": 1}}']
)
def test_a_body_without_a_position_is_an_error(cloud: Shop, body: str) -> None:
    with pytest.raises(NoRecords, match="it does not name a position in a stream"):
        records_of(cloud, body)


def test_an_outbox_gets_only_the_records_that_pass_its_filter(cloud: Shop) -> None:
    cloud.break_("orders-outbox", with_=RefusesEntries())
    orders = [cloud.place_order() for _ in range(2)]
    # A change that is not a new order, between them.
    cloud.resource_table("orders").update_item(
        Key={"order_id": orders[0].order_id},
        UpdateExpression="SET note = :note",
        ExpressionAttributeValues={":note": "changed"},
    )
    orders.append(cloud.place_order())
    cloud.advance(hours=13)
    cloud.mend("orders-outbox")
    (done,) = redrive(cloud, "dev", Selection(owner="orders-outbox"))
    assert done.failed == {}
    cloud.settle()
    assert len(cloud.published("OrderPlaced")) == 3
