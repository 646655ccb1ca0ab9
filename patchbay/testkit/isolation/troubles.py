"""The troubles of the matrix: each of the kit's faults, and two kinds of messages."""

import json
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from patchbay.messaging.publishing import MAX_EVENT_BYTES
from patchbay.testkit.cloud import Cloud
from patchbay.testkit.faults import (
    CrashesAfterEffect,
    Duplicated,
    DynamoDBThrottled,
    Fault,
    Raises,
    RefusesEntries,
    Reordered,
    ReturnsGarbage,
    Slow,
    Throttled,
    TimesOut,
    Undeliverable,
)
from patchbay.testkit.history import Published


@dataclass(frozen=True)
class Trouble:
    """A fault of one consumer, or a message that it receives."""

    name: str

    unmet = "the fault never occurs"
    """The reason, if the run with the trouble is the same as without it."""

    rejected = 0
    """The number of messages that remain dead letters, because no consumer can handle them."""

    def begin(self, cloud: Cloud, consumer: str) -> None:
        """Start the trouble, before the system is driven."""

    def go_on(self, cloud: Cloud, consumer: str) -> None:
        """Continue the trouble, after the first events have been handled."""


@dataclass(frozen=True)
class Broken(Trouble):
    """A fault from the start until it is mended."""

    fault: Fault
    unmet: str = Trouble.unmet

    def begin(self, cloud: Cloud, consumer: str) -> None:
        cloud.break_(consumer, with_=self.fault)


class Poisoned(Trouble):
    """An invalid message in its queue, before the valid ones."""

    rejected = 1

    def begin(self, cloud: Cloud, consumer: str) -> None:
        cloud.send(consumer, '{"not": "an event"}')


class Enlarged(Trouble):
    """One of its events arrives again, with another id and of the maximum size."""

    def go_on(self, cloud: Cloud, consumer: str) -> None:
        queue = cloud.queue(consumer).name
        for event in cloud.published():
            if queue in {delivery.queue for delivery in event.deliveries}:
                cloud.put(event.source, event.type, _largest(event))
                return


TROUBLES: tuple[Trouble, ...] = (
    Broken("raises", Raises(RuntimeError)),
    Broken("is slow", Slow(seconds=5)),
    Broken("times out", TimesOut()),
    Broken("is throttled", Throttled()),
    Broken("crashes after its work", CrashesAfterEffect()),
    Broken("returns garbage", ReturnsGarbage()),
    Broken("gets events twice", Duplicated()),
    Broken("gets events in disorder", Reordered(), unmet="two of its events never wait together"),
    Broken("can't publish", RefusesEntries(), unmet="it publishes nothing"),
    Broken("can't be delivered to", Undeliverable()),
    Broken("is throttled by DynamoDB", DynamoDBThrottled(), unmet="it never calls DynamoDB"),
    Poisoned("gets a poison message"),
    Enlarged("gets the largest event"),
)


def _largest(event: Published) -> str:
    """Return an event's detail with another id, and a field that fills it up to the limit."""
    metadata = event.detail["metadata"] | {"id": str(uuid5(NAMESPACE_URL, f"{event.id}/largest"))}

    def detail(padding: str) -> str:
        return json.dumps({"metadata": metadata, "data": event.data | {"padding": padding}})

    others = sum(len(text.encode()) for text in (event.source, event.type, detail("")))
    return detail("x" * (MAX_EVENT_BYTES - others))
