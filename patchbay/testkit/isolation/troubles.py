"""What happens to a consumer in the matrix: each of the kit's faults, and two kinds of message."""

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
    """Something that happens to one consumer."""

    name: str

    unmet = "it is never met"
    """Why it holds where the consumer's run is the same with it and without it."""

    rejected = 0
    """How many messages are dead letters in the end, since nobody can handle them."""

    def begin(self, cloud: Cloud, consumer: str) -> None:
        """Before anything else happens."""

    def go_on(self, cloud: Cloud, consumer: str) -> None:
        """When the first events have come through."""


@dataclass(frozen=True)
class Broken(Trouble):
    """A fault that is there from the start, until it is mended."""

    fault: Fault
    unmet: str = Trouble.unmet

    def begin(self, cloud: Cloud, consumer: str) -> None:
        cloud.break_(consumer, with_=self.fault)


class Poisoned(Trouble):
    """Its queue holds a message, first among the good ones, that no code of ours can read."""

    rejected = 1

    def begin(self, cloud: Cloud, consumer: str) -> None:
        cloud.send(consumer, '{"not": "an event"}')


class Stuffed(Trouble):
    """One of its events comes again, as another and as large as an event may be."""

    def go_on(self, cloud: Cloud, consumer: str) -> None:
        queue = cloud.queue(consumer).name
        for event in cloud.published():
            if queue in {letter.queue for letter in event.deliveries}:
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
    Broken("gets events in disorder", Reordered(), unmet="never are two of its events waiting"),
    Broken("can't publish", RefusesEntries(), unmet="it publishes nothing"),
    Broken("can't be delivered to", Undeliverable()),
    Broken("is throttled by DynamoDB", DynamoDBThrottled(), unmet="it never calls DynamoDB"),
    Poisoned("gets a poison message"),
    Stuffed("gets the largest event"),
)


def _largest(event: Published) -> str:
    """The event's detail under another id, with a field that fills it up to the limit."""
    metadata = event.detail["metadata"] | {"id": str(uuid5(NAMESPACE_URL, f"{event.id}/largest"))}

    def detail(padding: str) -> str:
        return json.dumps({"metadata": metadata, "data": event.data | {"padding": padding}})

    others = sum(len(text.encode()) for text in (event.source, event.type, detail("")))
    return detail("x" * (MAX_EVENT_BYTES - others))
