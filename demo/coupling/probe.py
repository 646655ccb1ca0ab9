"""The probe: it reads the orders' statuses, and the usage of the functions."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from demo.coupling.names import EVENT_DRIVEN
from demo.coupling.outcome import Traces
from demo.coupling.shops import Shops, Side
from demo.coupling.workflows import Workflows
from demo.observer import Observer
from demo.settings import STAGE
from patchbay.operations.consumers import deployed_consumers
from patchbay.operations.log_lines import lines
from patchbay.project.naming import bus_name
from patchbay.topology.consumers import Consumer

STATUS = "orders-status"  # the consumer that gives an order its status
HANDLED = '{$.message = "handled"}'
MEGABYTES_A_GIGABYTE = 1024
BYTES_A_GIGABYTE = 1_000_000_000
LOG_LINE = 26  # bytes that CloudWatch adds to each line

_REPORT = re.compile(r"^REPORT .*Billed Duration: (\d+) ms\tMemory Size: (\d+) MB")


class Probe:
    """A client of AWS's APIs that measures both sides."""

    def __init__(self, shops: Shops) -> None:
        self._shops = shops
        self._shop = shops.shop
        self._logs = shops.cloud.client("logs")
        self._workflows = Workflows(shops)
        consumers = deployed_consumers(shops.cloud, bus_name(STAGE))
        own = {name for names in shops.sides[0].functions.values() for name in names}
        self.consumers = [each for each in consumers if _function(each) in own]
        self._observer = Observer(shops.cloud, self.consumers)

    def waiting(self) -> int:
        """Return the depth of all consumers' queues together."""
        self._observer.check()
        return sum(seen.waiting + seen.in_flight for seen in self._observer.observed.values())

    def statuses(self, side: Side) -> dict[str, str]:
        """Return the status of each order of a side, by its id."""
        orders = self._shop.items(side.orders_table)
        return {order["order_id"]["S"]: order["status"]["S"] for order in orders}

    def traces(self, side: Side, since: float) -> Traces:
        """Return the data that the orders of a side have left since then."""
        mails = self._shop.mails()
        return Traces(
            statuses=self.statuses(side),
            finished_at=self._finished_at(since) if side.name == EVENT_DRIVEN else {},
            charged={
                entry["order_id"]
                for entry in self._shop.ledger()
                if entry["kind"] == "charge" and entry["status"] == "succeeded"
            },
            mailed={order for _, order in mails},
        )

    def used(self, side: Side, since: float) -> dict[str, float]:
        """Return the usage of a side's functions and their queues since then."""
        used: defaultdict[str, float] = defaultdict(float)
        for names in side.functions.values():
            for name in names:
                self._add_used_by(name, since, used)
        if side.name == EVENT_DRIVEN:
            for unit, amount in self._workflows.used(since).items():
                used[unit] += amount
        return used

    def _add_used_by(self, function: str, since: float, used: defaultdict[str, float]) -> None:
        has_queue = any(_function(consumer) == function for consumer in self.consumers)
        for event in self._lines(function, since):
            message = event["message"]
            used["log_gigabytes"] += (len(message.encode()) + LOG_LINE) / BYTES_A_GIGABYTE
            if report := _REPORT.match(message):
                milliseconds, megabytes = map(int, report.groups())
                used["lambda_requests"] += 1
                used["lambda_gb_seconds"] += milliseconds / 1000 * megabytes / MEGABYTES_A_GIGABYTE
                # One request received the batch, and one deleted it.
                used["sqs_requests"] += 2 * has_queue
            elif has_queue and '"message":"handled"' in message:
                used["sqs_requests"] += 1  # EventBridge sent the message

    def _finished_at(self, since: float) -> dict[str, float]:
        """Return when the status consumer last handled an event of each order, by its id."""
        (status,) = (each for each in self.consumers if each.name == STATUS)
        found: dict[str, float] = {}
        start = datetime.fromtimestamp(since, UTC)
        for line in lines(self._logs, status.log_group, HANDLED, start):
            if line.get("message") != "handled":
                continue
            moment = datetime.strptime(line["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z").timestamp()
            order = line["correlation_id"]
            found[order] = max(moment, found.get(order, moment))
        return found

    def _lines(self, function: str, since: float) -> Iterator[dict[str, Any]]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{function}", startTime=int(since * 1000)
        )
        for page in pages:
            yield from page["events"]


def _function(consumer: Consumer) -> str:
    return consumer.log_group.rpartition("/")[2]
