"""A consumer that is deployed after the orders were placed, and receives them by a replay.

On a cloud of its own, where nothing else waits. `REPLAYED=500 pytest tests/test_late_consumer.py`
tries it with more orders.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from demo.observer import Observer
from demo.purchases import first_purchases
from demo.settings import STAGE
from demo.shop import Shop
from demo.surroundings import LocalShop, Surroundings
from patchbay.local.deploy import deploy
from patchbay.local.deployment import deploy_locally
from patchbay.operations.consumers import deployed_consumers
from patchbay.operations.replay import replay
from patchbay.processes.waiting import wait_until
from patchbay.project.naming import bus_name, named
from patchbay.topology.consumers import Consumer

pytestmark = pytest.mark.embedded

ORDERS = int(os.environ.get("REPLAYED", "40"))
AT_ONCE = 8
SECONDS = 60 + ORDERS / 2
LATE = "notifications"


@pytest.fixture
def early() -> Iterator[LocalShop]:
    """The system before the late consumer was thought of, on a cloud of its own."""
    with deploy_locally(Surroundings, without=[named(STAGE, LATE)]) as running:
        yield running


def consumers(running: LocalShop) -> dict[str, Consumer]:
    return {each.name: each for each in deployed_consumers(running.cloud, bus_name(STAGE))}


def outcomes(running: LocalShop, consumer: Consumer) -> Counter[str]:
    """Return the consumer's log lines by outcome: handled, already handled, failed, rejected."""
    logs = running.cloud.client("logs").get_paginator("filter_log_events")
    pages = logs.paginate(logGroupName=consumer.log_group)
    lines = [event["message"] for page in pages for event in page["events"]]
    words = ("handled", "already handled", "failed", "rejected")
    return Counter(word for line in lines for word in words if f'"message":"{word}"' in line)


def all_is_quiet(running: LocalShop, there: Mapping[str, Consumer]) -> bool:
    """Return whether every consumer is idle."""
    observer = Observer(running.cloud, there.values())
    observer.check()
    return observer.idle()


def have_ended(shop: Shop, orders: Sequence[str]) -> bool:
    statuses = shop.statuses()
    return {statuses.get(order) for order in orders} <= {"shipped", "refunded"}


def test_a_late_consumer_receives_a_replay_and_no_other_consumer_handles_an_event_again(
    early: LocalShop,
) -> None:
    shop, there = early.surroundings.shop, consumers(early)
    assert LATE not in there
    shop.decline_nothing()
    known, mails = set(shop.statuses()), shop.mails()
    began = the_next_second()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        orders = list(pool.map(shop.place, first_purchases(ORDERS)))
    wait_until(lambda: have_ended(shop, orders), "every order to end", SECONDS)
    wait_until(lambda: all_is_quiet(early, there), "every order to be done with", SECONDS)
    before = {name: outcomes(early, each) for name, each in there.items()}

    deploy(early.cloud, early.assembly, [named(STAGE, LATE)])
    now = datetime.now(UTC) + timedelta(minutes=1)
    replay(early.cloud, STAGE, since=began, until=now, to=LATE, on_progress=lambda how: None)

    late = consumers(early)[LATE]
    ended = [status for order, status in shop.statuses().items() if order not in known]
    assert len(ended) == ORDERS
    due = ORDERS + ended.count("refunded")
    wait_until(lambda: outcomes(early, late)["handled"] >= due, "the past to be handled", SECONDS)
    assert outcomes(early, late) == Counter(handled=due)
    sent = shop.mails() - mails
    assert all(sent["Order placed", order] == 1 for order in orders)
    assert sent.total() == due
    assert {name: outcomes(early, each) for name, each in there.items()} == before


def the_next_second() -> datetime:
    """Return once a new second has begun, in which nothing has been published yet."""
    second = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    wait_until(lambda: datetime.now(UTC) >= second, "the next second", SECONDS)
    return second
