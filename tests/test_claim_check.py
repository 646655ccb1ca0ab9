"""Claim check: an event that is too large for the bus, in the whole deployed system."""

import copy
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contracts.orders import OrderPlaced
from patchbay.events.claim import KEPT_FOR
from patchbay.messaging.publishing import MAX_EVENT_BYTES
from patchbay.project.root import ROOT
from patchbay.testkit.faults import Crash, CrashesAfterEffect, Fault
from patchbay.testkit.templates import Templates
from tests.shop import Shop

LARGE = 3 * 1024 * 1024


class OrderWithNotes(OrderPlaced):
    """An order as a later publisher sends it, of any size."""

    notes: str

    @classmethod
    def detail_type(cls) -> str:
        return OrderPlaced.detail_type()

    @classmethod
    def source(cls) -> str:
        return OrderPlaced.source()


def order(size: int = LARGE, amount: str = "11.77") -> OrderWithNotes:
    return OrderWithNotes(
        order_id="order-1", customer_id="00001", items=1, amount=Decimal(amount), notes="x" * size
    )


def detail_of(cloud: Shop, event_id: str) -> Any:
    (event,) = {e.id: e for e in cloud.published() if e.id == event_id}.values()
    return event.detail


def key_of(cloud: Shop, event_id: str) -> str:
    key: str = detail_of(cloud, event_id)["metadata"]["claim"]["key"]
    return key


def test_an_event_of_three_mebibytes_is_handled_without_code_in_the_consumer(cloud: Shop) -> None:
    event = cloud.publish(order())
    cloud.settle()
    for consumer in ("payments", "notifications"):
        assert cloud.handled(consumer) == [event]
    assert [entry["order_id"] for entry in cloud.ledger()] == ["order-1"]
    assert len(json.dumps(detail_of(cloud, event))) < 1000


def test_an_event_within_the_limit_is_on_the_bus_as_a_whole(cloud: Shop) -> None:
    event = cloud.publish(order(MAX_EVENT_BYTES - 1000))
    cloud.settle()
    assert "claim" not in detail_of(cloud, event)["metadata"]
    assert cloud.handled("payments") == [event]


def test_small_fields_stay_on_the_bus_for_filters(cloud: Shop) -> None:
    free, paid = cloud.publish(order(amount="0")), cloud.publish(order(amount="1"))
    cloud.settle()
    assert cloud.handled("accounts-gifts") == [free]
    assert set(cloud.handled("payments")) == {free, paid}
    assert "notes" not in detail_of(cloud, free)["data"]


def test_a_large_event_that_fails_is_retried_and_handled(cloud: Shop) -> None:
    cloud.break_("payments", with_=ConnectionError, times=3)
    event = cloud.publish(order())
    cloud.settle()
    assert cloud.handled("payments") == [event]


def test_a_dead_letter_has_the_claim_and_can_be_redriven(cloud: Shop) -> None:
    cloud.break_("payments", with_=ConnectionError)
    event = cloud.publish(order())
    cloud.settle()
    (dead_letter,) = cloud.dead_letters("payments")
    assert dead_letter.event_id == event
    assert len(dead_letter.body) < 2000
    cloud.mend("payments")
    cloud.redrive("payments")
    cloud.settle()
    assert cloud.handled("payments") == [event]


def test_an_event_whose_claim_has_expired_is_a_dead_letter_with_that_reason(cloud: Shop) -> None:
    event = cloud.publish(order())
    cloud.buckets.forget(key_of(cloud, event))
    late = detail_of(cloud, event)
    published = cloud.start - KEPT_FOR - timedelta(days=1)
    late["metadata"] |= {"published_at": published.isoformat()}
    cloud.put("shop.orders", "OrderPlaced", late)
    cloud.advance(minutes=1)
    (dead_letter,) = cloud.dead_letters("payments")
    assert dead_letter.reason == (
        f"its data is gone: shop.orders/OrderPlaced/{event} is not in the bucket of claims, which "
        "keeps what is published for 122 days"
    )


def test_a_claim_that_may_still_exist_is_retried(cloud: Shop) -> None:
    """From "GetObject": without ListBucket, S3 says AccessDenied for what is not there."""
    event = cloud.publish(order())
    cloud.buckets.forget(key_of(cloud, event))
    cloud.advance(seconds=5)
    assert any("AccessDenied" in line["reason"] for line in cloud.logs("payments", "failed"))
    text = json.dumps(order().model_dump(mode="json"))
    cloud.buckets.put(key_of(cloud, event), text.encode())
    cloud.settle()
    assert cloud.handled("payments") == [event]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sha256": "0" * 64}, "is not what was published: the SHA-256 differs"),
        ({"key": "shop.orders/OrderPlaced/another"}, "claims the data of another event"),
        ({"sha256": "none"}, "breaks its contract: claim.sha256"),
    ],
)
def test_a_claim_of_another_event_is_rejected(
    change: dict[str, str], reason: str, cloud: Shop
) -> None:
    event = cloud.publish(order())
    forged = detail_of(cloud, event)
    forged["metadata"]["claim"] |= change
    cloud.settle()
    cloud.put("shop.orders", "OrderPlaced", forged)
    cloud.send("payments", delivered(forged))
    cloud.settle()
    assert reason in str(cloud.dead_letters("payments").reasons)


def delivered(detail: Any) -> str:
    """Return the message that EventBridge would deliver."""
    return json.dumps(
        {"id": "1", "detail-type": "OrderPlaced", "source": "shop.orders", "detail": detail}
    )


def large_declines(templates: Templates, folder: Path) -> Templates:
    """The shop with payments that say at great length why they decline."""
    at_length = {"reason=str(declined)": "reason='x' * 3_000_000"}
    return templates.with_code("payments", "functions/payments/handler.py", at_length, folder)


@dataclass(frozen=True)
class CrashesBefore(Fault):
    """The process dies when it is about to call AWS for that."""

    wanted: str

    def call(self, service: str, operation: str, parameters: Any) -> None:
        if operation == self.wanted:
            raise Crash(f"the process crashed before {operation}")


@pytest.mark.parametrize(
    "fault",
    [CrashesBefore("PutObject"), CrashesBefore("PutEvents"), CrashesAfterEffect()],
    ids=["before S3", "between S3 and the bus", "after the bus"],
)
def test_a_crash_between_s3_and_the_bus_neither_loses_nor_repeats_an_event(
    fault: Fault, templates: Templates, tmp_path: Path
) -> None:
    with Shop(large_declines(templates, tmp_path)) as cloud:
        cloud.decline_above("1.00")
        cloud.break_("payments", with_=fault, times=1)
        order = cloud.place_order(amount="11.77")
        cloud.settle()
        declined = {event.id for event in cloud.published("PaymentDeclined")}
        assert len(declined) == 1
        assert cloud.handled("payments") == [order.event_id]
        assert cloud.buckets.keys() == [f"shop.payments/PaymentDeclined/{declined.pop()}"]
        assert cloud.mails_to(order.customer_id) == ["Order placed", "Payment declined"]


def without(templates: Templates, action: str) -> Templates:
    """The system in which nobody has the right to do that."""
    bodies: dict[str, Any] = copy.deepcopy(dict(templates.bodies))
    for body in bodies.values():
        for resource in body["Resources"].values():
            if resource["Type"] == "AWS::IAM::Policy":
                document = resource["Properties"]["PolicyDocument"]
                document["Statement"] = [
                    each for each in document["Statement"] if action != each["Action"]
                ]
    return templates.with_bodies(bodies)


def test_without_permission_to_write_the_claim_no_event_is_published(
    templates: Templates, tmp_path: Path
) -> None:
    with Shop(large_declines(without(templates, "s3:PutObject"), tmp_path)) as cloud:
        cloud.decline_above("1.00")
        order = cloud.place_order(amount="11.77")
        cloud.settle()
        assert cloud.published("PaymentDeclined") == []
        assert cloud.dead_letters("payments").causes == [order.event_id]
        (failed, *_) = cloud.logs("payments", "failed")
        assert "could not be written to S3" in failed["reason"]


def test_without_permission_to_read_the_claim_the_event_is_retried_until_granted(
    templates: Templates,
) -> None:
    with Shop(without(templates, "s3:GetObject")) as cloud:
        event = cloud.publish(order())
        cloud.settle()
        assert cloud.dead_letters("payments").causes == [event]


def test_without_a_claim_the_s3_client_is_not_loaded() -> None:
    code = "import patchbay.messaging.claim_check, sys; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
