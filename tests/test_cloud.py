"""The test kit's cloud with the shop: virtual time, determinism, faults, and no leaks."""

import hashlib
import os
import random
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from patchbay.project.root import ROOT
from patchbay.testkit.faults import (
    CrashesAfterEffect,
    Duplicated,
    DynamoDBThrottled,
    Raises,
    RefusesEntries,
    Slow,
    TimesOut,
)
from patchbay.testkit.templates import Templates
from tests.shop import Shop

DAY = """
import hashlib
from tests.conftest import STAGE
from patchbay.testkit.templates import Templates
from tests.shop import Shop
from tests.test_cloud import a_day
from tests.synthesis import assembly, templates_in
out = assembly(STAGE)
print(a_day(Templates(templates_in(out), out, stage=STAGE), seed=3))
"""


def a_day(templates: Templates, seed: int = 0) -> str:
    """A digest of the log of a day on which this and that goes wrong."""
    with Shop(templates, seed=seed) as cloud:
        cloud.break_("payments", with_=ConnectionError, lasting=timedelta(minutes=2))
        cloud.break_("notifications", with_=TimesOut(), times=2)
        cloud.break_("orders-status", with_=Duplicated())
        for number in range(3):
            cloud.place_order(customer_id=str(number))
            cloud.advance(hours=8)
        cloud.settle()
        return hashlib.sha256(cloud.log.encode()).hexdigest()


def test_the_same_seed_gives_the_same_run_to_the_byte(templates: Templates) -> None:
    assert a_day(templates) == a_day(templates)


def test_another_seed_gives_another_run(templates: Templates) -> None:
    assert a_day(templates, seed=1) != a_day(templates, seed=2)


def test_another_process_gives_the_same_run(templates: Templates) -> None:
    for hash_seed in ("1", "2"):
        environ = os.environ | {"PYTHONHASHSEED": hash_seed}
        output = subprocess.run(
            [sys.executable, "-c", DAY],
            cwd=ROOT, env=environ, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert output.strip() == a_day(templates, seed=3)


def test_nothing_of_the_cloud_is_left_afterwards(templates: Templates) -> None:
    before = (dict(os.environ), sys.path[:], set(sys.modules), time.sleep, os.urandom, sys.stdout)
    state = random.getstate()
    with Shop(templates) as cloud:
        cloud.break_("payments", with_=TimesOut(), times=1)
        cloud.place_order()
        cloud.settle()
    environ, path, modules, sleep, urandom, stdout = before
    assert dict(os.environ) == environ
    assert sys.path == path
    ours = {
        name for name in set(sys.modules) - modules if name.startswith(("functions.", "contracts."))
    }
    assert ours == set()
    assert (time.sleep, os.urandom, sys.stdout) == (sleep, urandom, stdout)
    assert random.getstate() == state
    assert abs(time.time() - time.clock_gettime(time.CLOCK_REALTIME)) < 1


def test_advancing_runs_everything_that_is_due_until_then(cloud: Shop) -> None:
    cloud.break_("payments", with_=ConnectionError)
    order = cloud.place_order()
    cloud.advance(seconds=30)
    failed = len(cloud.logs("payments", "failed"))
    assert cloud.now - cloud.start == timedelta(seconds=30)
    assert 0 < failed < 12
    cloud.mend("payments")
    cloud.settle()
    assert cloud.handled("payments") == [order.event_id]
    assert len(cloud.logs("payments", "failed")) == failed


def test_a_fault_ends_after_the_given_number_of_times(cloud: Shop) -> None:
    cloud.break_("payments", with_=Raises(ConnectionError), times=2)
    order = cloud.place_order()
    cloud.settle()
    assert len(cloud.logs("payments", "failed")) == 2
    assert cloud.handled("payments") == [order.event_id]


def test_a_fault_begins_at_the_given_time(cloud: Shop) -> None:
    cloud.break_("payments", with_=ConnectionError, after=timedelta(hours=1))
    first = cloud.place_order()
    cloud.settle()
    cloud.advance(hours=1)
    second = cloud.place_order()
    cloud.settle()
    assert cloud.handled("payments") == [first.event_id]
    assert cloud.dead_letters("payments").causes == [second.event_id]


def test_a_crash_after_the_effect_repeats_the_work_and_not_the_charge(cloud: Shop) -> None:
    cloud.break_("payments", with_=CrashesAfterEffect(), times=1)
    order = cloud.place_order()
    cloud.settle()
    assert len(cloud.ledger()) == 1
    assert cloud.handled("payments") == [order.event_id]
    taken = cloud.published("PaymentTaken")
    assert len(taken) == 2
    assert len({event.id for event in taken}) == 1
    assert cloud.handled("orders-status").count(taken[0].id) == 2
    assert cloud.order(order.order_id).status == "shipped"


def test_what_eventbridge_refuses_is_published_once_it_takes_it(cloud: Shop) -> None:
    cloud.break_("orders-outbox", with_=RefusesEntries(), lasting=timedelta(minutes=5))
    order = cloud.place_order()
    cloud.advance(minutes=4)
    assert cloud.published() == []
    cloud.settle()
    assert [event.id for event in cloud.published("OrderPlaced")] == [order.event_id]


def test_a_throttled_table_delays_its_own_service_alone(cloud: Shop) -> None:
    cloud.break_("notifications", with_=DynamoDBThrottled(), lasting=timedelta(minutes=1))
    order = cloud.place_order()
    cloud.advance(seconds=0)
    assert cloud.order(order.order_id).status == "shipped"
    assert cloud.mails_to(order.customer_id) == []
    cloud.settle()
    assert cloud.mails_to(order.customer_id) == ["Order placed"]


def test_a_request_to_a_provider_that_times_out_is_retried(cloud: Shop) -> None:
    cloud.break_("payments-sandbox", with_=Slow(6), lasting=timedelta(minutes=1))
    order = cloud.place_order()
    cloud.settle()
    assert "did not answer" in str(cloud.logs("payments", "failed")[0]["reason"])
    assert cloud.order(order.order_id).status == "shipped"
    assert len(cloud.ledger()) == 1


def test_an_unknown_name_is_answered_with_the_known_ones(cloud: Shop) -> None:
    with pytest.raises(
        LookupError, match=r"There is no function 'payment': there are .*'payments'"
    ):
        cloud.break_("payment", with_=ValueError)
    with pytest.raises(LookupError, match="There is no consumer 'orders-api'"):
        cloud.handled("orders-api")


def test_the_history_has_the_place_of_every_message(cloud: Shop) -> None:
    cloud.break_("payments", with_=ConnectionError("no route"))
    cloud.place_order()
    cloud.settle()
    history = cloud.history()
    assert "OrderPlaced" in history
    assert "notifications: handled at" in history
    assert "payments: in the dead-letter queue" in history
    assert "failed 12 times, the last with: ConnectionError: no route" in history
