"""The usage of AWS's APIs, from the embedded cloud's CloudTrail with data events."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import urllib3

from demo.coupling.names import EVENT_DRIVEN, REQUEST_RESPONSE
from demo.coupling.shops import Shops

PAGE = 50  # LookupEvents' own limit
IN_A_TRANSACTION = 2  # write units for an item of up to 1 KB, where one alone takes 1

_WRITES = {"PutItem", "UpdateItem", "DeleteItem"}
_READS = {"GetItem", "Query"}
_FOR_A_FUNCTION = {"ChangeMessageVisibility", "SendMessage", "DeleteMessage"}


class ApiUsage:
    """A recording of API calls, from its creation until it is read."""

    def __init__(self, shops: Shops) -> None:
        self._cloud = shops.cloud
        self._tables = shops.tables
        self._client = self._cloud.client("cloudtrail")
        self._since = self._until = time.time()
        # Time alone selects a page, and boto3 would round it to seconds.
        self._client.meta.events.register("before-call.cloudtrail.LookupEvents", self._narrow)
        self._record(True)

    def usage(self) -> dict[str, Counter[str]]:
        """Stop recording, and return the usage of each side."""
        self._record(False)
        used: dict[str, Counter[str]] = {EVENT_DRIVEN: Counter(), REQUEST_RESPONSE: Counter()}
        for event in self._events():
            for side, unit, amount in billed(event, self._tables):
                used[side][unit] += amount
        return used

    def _record(self, on: bool) -> None:
        http = urllib3.PoolManager(ca_certs=str(self._cloud.ca_path))
        setting = {"cloudtrail._recording_enabled": str(on).lower()}
        http.request("POST", f"{self._cloud.endpoint}/_ministack/config", json=setting)

    def _events(self) -> Iterator[dict[str, Any]]:
        """Yield the calls of the functions; this process and the provider use the root's key."""
        seen: set[str] = set()
        self._until = time.time()
        while True:
            page = self._client.lookup_events()["Events"]
            new = [
                event
                for event in page
                if event["EventId"] not in seen and event["EventTime"].timestamp() >= self._since
            ]
            seen |= {event["EventId"] for event in new}
            for event in new:
                if event["AccessKeyId"] != self._cloud.access.key:
                    yield json.loads(event["CloudTrailEvent"])
            if not new:
                return
            self._until = min(event["EventTime"].timestamp() for event in page)

    def _narrow(self, params: dict[str, Any], **_: object) -> None:
        params["body"] = json.dumps({"MaxResults": PAGE, "EndTime": self._until}).encode()


def billed(event: dict[str, Any], tables: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
    """Yield the costs of a call: the side, the unit, and the number of units."""
    name, request = event["eventName"], event["requestParameters"] or {}
    if name == "PutEvents":
        yield EVENT_DRIVEN, "events", len(request["Entries"])
    elif name in _FOR_A_FUNCTION:
        yield EVENT_DRIVEN, "sqs_requests", 1
    elif name == "TransactWriteItems":
        for item in request["TransactItems"]:
            (operation,) = item.values()
            if side := tables.get(_name(operation["TableName"])):
                yield side, "dynamodb_writes", IN_A_TRANSACTION
    elif name in _WRITES | _READS and (side := tables.get(_name(request["TableName"]))):
        yield side, "dynamodb_writes" if name in _WRITES else "dynamodb_reads", 1


def _name(table: str) -> str:
    """Return a table's name from its name or ARN."""
    return table.rpartition("/")[2]
