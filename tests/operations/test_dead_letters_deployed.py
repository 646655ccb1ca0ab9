"""Dead letters on the embedded cloud: their reasons are shown, and they are redriven."""

import json
from collections.abc import Callable, Iterator

import pytest

from demo.purchases import Purchase
from demo.settings import STAGE
from demo.shop import Shop
from demo.surroundings import LocalShop
from patchbay.operations.consumers import deployed_consumers
from patchbay.operations.dead_letters.browse import browse
from patchbay.operations.dead_letters.dead_letter import DeadLetter, DeadLetterQueue
from patchbay.operations.dead_letters.last_error import log_lines_of
from patchbay.operations.dead_letters.queues import queues
from patchbay.operations.dead_letters.redrive import redrive
from patchbay.operations.dead_letters.selection import Selection, find
from patchbay.operations.journeys.journal import entries
from patchbay.processes.waiting import wait_until
from patchbay.project.naming import bus_name, named
from patchbay.topology.consumers import Consumer
from tests.operations.test_deployed import giving_up_at_once

pytestmark = pytest.mark.embedded

SECONDS = 90  # for cold starts and retries on a slow machine


@pytest.fixture
def consumers(running: LocalShop) -> dict[str, Consumer]:
    return {each.name: each for each in deployed_consumers(running.cloud, bus_name(STAGE))}


@pytest.fixture
def dead_letters(running: LocalShop) -> Callable[..., list[DeadLetter]]:
    def browse_owner(owner: str, journey: str | None = None) -> list[DeadLetter]:
        """Return the dead letters of an owner, of one journey or of all."""
        owned = [each for each in queues(running.cloud, STAGE) if each.owner == owner]
        found = [dead_letter for queue in owned for dead_letter in browse(running.cloud, queue)]
        return [
            dead_letter
            for dead_letter in found
            if journey is None or (dead_letter.event and dead_letter.event.journey == journey)
        ]

    return browse_owner


def queue_of(running: LocalShop, owner: str) -> DeadLetterQueue:
    (found,) = [each for each in queues(running.cloud, STAGE) if each.owner == owner]
    return found


def test_every_kind_of_dead_letter_queue_is_found(running: LocalShop) -> None:
    found = {queue.name: queue for queue in queues(running.cloud, STAGE)}
    kinds = {name: queue.kind for name, queue in found.items()}
    assert kinds[named(STAGE, "payments-dead-letters")] == "handling"
    assert kinds[named(STAGE, "payments-undelivered")] == "delivery"
    assert kinds[named(STAGE, "accounts-statement-unrelayed.fifo")] == "relay"
    assert kinds[named(STAGE, "accounts-close-missed")] == "schedule"
    assert kinds[named(STAGE, "orders-unpublished")] == "stream"
    assert kinds[named(STAGE, "bestsellers-failed")] == "stream"
    assert "unknown" not in kinds.values()


def test_the_dead_letter_of_an_outage_has_its_reason_and_is_redriven(
    running: LocalShop,
    shop: Shop,
    purchases: Iterator[Purchase],
    consumers: dict[str, Consumer],
    dead_letters: Callable[..., list[DeadLetter]],
) -> None:
    with giving_up_at_once(running, consumers["payments"]):
        shop.take_payments_down()
        order = shop.place(next(purchases))
        wait_until(lambda: bool(dead_letters("payments", order)), "a payment to be dead", SECONDS)
    (dead_letter,) = dead_letters("payments", order)
    assert dead_letter.reason == "ProviderUnavailable: the payment provider answered 503"
    assert dead_letter.traceback
    assert dead_letter.event
    assert dead_letter.event.id == entries(running.cloud, STAGE, order)[0].id
    assert find(running.cloud, STAGE, dead_letter.event.id) == dead_letter
    assert [line["message"] for line in log_lines_of(running.cloud, dead_letter)] == ["failed"]

    shop.decline_nothing()
    (done,) = redrive(running.cloud, STAGE, Selection(owner="payments", ids=(dead_letter.id,)))
    assert (done.done, done.failed) == (1, {})
    wait_until(lambda: shop.statuses()[order] == "shipped", "the order to be shipped", SECONDS)
    assert dead_letters("payments", order) == []


def test_a_malformed_event_has_its_reason_and_is_rejected_again_after_a_redrive(
    running: LocalShop, shop: Shop, dead_letters: Callable[..., list[DeadLetter]]
) -> None:
    known = {dead_letter.id for dead_letter in dead_letters("payments")}

    def new() -> list[DeadLetter]:
        return [
            dead_letter for dead_letter in dead_letters("payments") if dead_letter.id not in known
        ]

    shop.publish_malformed_event()
    wait_until(lambda: bool(new()), "the event to be rejected", SECONDS)
    (before,) = new()
    assert before.reason.startswith("breaks its contract: ")
    assert before.attempts == 1
    known.add(before.id)
    (done,) = redrive(running.cloud, STAGE, Selection(owner="payments", ids=(before.id,)))
    assert done.done == 1
    wait_until(lambda: bool(new()), "the event to be rejected again", SECONDS)
    (after,) = new()
    assert (after.reason, after.body) == (before.reason, before.body)


def test_a_missed_run_has_its_reason_and_is_started_again(
    running: LocalShop, dead_letters: Callable[..., list[DeadLetter]]
) -> None:
    def ids() -> set[str]:
        return {dead_letter.id for dead_letter in dead_letters("accounts-close")}

    running.cloud.client("lambda").invoke(
        FunctionName=named(STAGE, "accounts-close"),
        InvocationType="Event",
        Payload=json.dumps({"schedule": "by hand", "at": "never"}).encode(),
    )
    wait_until(lambda: bool(ids()), "the run to be missed", SECONDS)
    (dead_letter,) = dead_letters("accounts-close")
    assert dead_letter.reason.startswith("NoSuchRun: ")
    (done,) = redrive(running.cloud, STAGE, Selection(owner="accounts-close"))
    assert done.done == 1
    wait_until(lambda: bool(ids() - {dead_letter.id}), "the run to be missed again", SECONDS)


def test_the_failed_records_of_an_outbox_are_read_from_the_tables_stream_again(
    running: LocalShop, shop: Shop, purchases: Iterator[Purchase], consumers: dict[str, Consumer]
) -> None:
    order = shop.place(next(purchases))
    wait_until(lambda: shop.statuses()[order] == "shipped", "the order to be shipped", SECONDS)
    body = _table_position(running, order)
    queue = queue_of(running, "orders-outbox")
    running.cloud.client("sqs").send_message(QueueUrl=queue.url, MessageBody=body)
    (done,) = redrive(running.cloud, STAGE, Selection(owner="orders-outbox"))
    assert (done.done, done.failed) == (1, {})

    def was_published_again() -> bool:
        (event, *_) = entries(running.cloud, STAGE, order)
        found = running.cloud.client("logs").filter_log_events(
            logGroupName=consumers["payments"].log_group, filterPattern=f'"{event.id}"'
        )
        return any('"already handled"' in each["message"] for each in found["events"])

    wait_until(was_published_again, "payments to skip the event", SECONDS)


def test_records_that_missed_their_window_are_put_on_their_stream_again(
    running: LocalShop, shop: Shop
) -> None:
    record = {"record_id": "record-again", "kind": "view", "at": "2026-01-31T09:00:00Z"}
    assert shop.post_interactions([record])[0] == 202

    def views() -> int:
        return shop.counters().get("record-again", (0, 0))[0]

    wait_until(lambda: views() == 1, "the view to be counted", SECONDS)
    queue = queue_of(running, "bestsellers")
    body = _kinesis_position(running, "record-again")
    running.cloud.client("sqs").send_message(QueueUrl=queue.url, MessageBody=body)
    (done,) = redrive(running.cloud, STAGE, Selection(owner="bestsellers"))
    assert (done.done, done.failed) == (1, {})
    wait_until(lambda: views() == 2, "the view to be counted as another", SECONDS)


def _table_position(running: LocalShop, order: str) -> str:
    """Return the message that Lambda sends to the dead-letter queue for an order's record."""
    streams = running.cloud.client("dynamodbstreams")
    table = named(STAGE, "orders")
    (stream,) = streams.list_streams(TableName=table)["Streams"]
    described = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]
    for shard in described["Shards"]:
        at = {"StreamArn": stream["StreamArn"], "ShardId": shard["ShardId"]}
        iterator = streams.get_shard_iterator(**at, ShardIteratorType="TRIM_HORIZON")
        while iterator.get("NextShardIterator") or iterator.get("ShardIterator"):
            following = iterator.get("NextShardIterator") or iterator["ShardIterator"]
            iterator = streams.get_records(ShardIterator=following)
            for record in iterator["Records"]:
                if record["dynamodb"]["Keys"]["order_id"]["S"] == order:
                    number = record["dynamodb"]["SequenceNumber"]
                    return _position("DDBStream", shard["ShardId"], number, stream["StreamArn"])
            if not iterator["Records"]:
                break
    raise AssertionError(f"The stream has no record of {order}.")


def _kinesis_position(running: LocalShop, text: str) -> str:
    kinesis = running.cloud.client("kinesis")
    stream = named(STAGE, "storefront")
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"][
        "StreamARN"
    ]
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        for record in kinesis.get_records(ShardIterator=iterator)["Records"]:
            if text.encode() in record["Data"]:
                return _position("Kinesis", shard["ShardId"], record["SequenceNumber"], arn)
    raise AssertionError(f"The stream has no {text}.")


def _position(kind: str, shard: str, number: str, stream: str) -> str:
    position = {
        "shardId": shard,
        "startSequenceNumber": number,
        "endSequenceNumber": number,
        "batchSize": 1,
        "streamArn": stream,
    }
    condition = {"condition": "RetryAttemptsExhausted", "approximateInvokeCount": 31}
    return json.dumps({"requestContext": condition, f"{kind}BatchInfo": position})
