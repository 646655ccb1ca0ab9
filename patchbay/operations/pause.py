"""Stops a consumer's deliveries, and lets them go on: what comes meanwhile waits in its queue.

By its event source mapping, which polls the queue. Nothing else of it is touched: with no function
to run, or none that may, the poller would go on, and each receive would bring the messages nearer
to the dead letters.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.operations.consumers import consumer_named, deployed_consumers
from patchbay.operations.event_source_mappings import (
    EventSourceMapping,
    all_mappings,
    function_of,
    reads_queue,
)
from patchbay.operations.queue_depth import ATTRIBUTES, depth_in
from patchbay.operations.stages import not_deployed
from patchbay.project.naming import bus_name, named
from patchbay.topology.consumers import Consumer

STOPPED = ("Disabled", "Disabling")
SETTLED = ("Disabled", "Enabled")
SECONDS_TO_SETTLE = 180  # Lambda takes about a minute
SECONDS_BETWEEN_LOOKS = 0.5
RELAY = "-relay"  # how the names of functions end that fill a consumer's queue


@dataclass(frozen=True)
class DeliveryState:
    """What hands a consumer its messages."""

    consumer: Consumer
    state: str
    """Of its event source mapping, as Lambda has it."""
    waiting: int
    """Messages in its queue, those that are in hand or hidden as well."""
    kept: timedelta
    """For how long the queue keeps a message."""

    @property
    def is_stopped(self) -> bool:
        """Whether it hands out nothing more, or is about to."""
        return self.state in STOPPED


def delivery_state(clients: Clients, stage: str, consumer: str) -> DeliveryState:
    """Return the state of a consumer's deliveries; raises UserError."""
    found = _consumer(clients, stage, consumer)
    asked = ["MessageRetentionPeriod", *ATTRIBUTES]
    answer = clients.client("sqs").get_queue_attributes(
        QueueUrl=found.queue_url, AttributeNames=asked
    )
    attributes = answer["Attributes"]
    return DeliveryState(
        found,
        _mapping(clients.client("lambda"), found)["State"],
        depth_in(attributes).total,
        timedelta(seconds=int(attributes["MessageRetentionPeriod"])),
    )


def pause(clients: Clients, stage: str, consumer: str) -> bool:
    """Stop a consumer's deliveries; whether they were not stopped before. Raises UserError.

    What it has in hand it finishes.
    """
    return _switch(clients, stage, consumer, on=False)


def resume(clients: Clients, stage: str, consumer: str) -> bool:
    """Let them go on; whether they were stopped. Raises UserError."""
    return _switch(clients, stage, consumer, on=True)


def paused_queues(clients: Clients) -> set[str]:
    """Return the names of the queues whose mappings are disabled."""
    return {
        _queue(mapping)
        for mapping in all_mappings(clients.client("lambda"))
        if mapping["State"] in STOPPED
    }


def polled_consumers(clients: Clients, stage: str) -> list[str]:
    """Return a stage's consumers by their functions' names: quick, in one request."""
    prefix = named(stage, "")
    functions = {
        function_of(mapping)
        for mapping in all_mappings(clients.client("lambda"))
        if reads_queue(mapping)
    }
    names = (each.removeprefix(prefix) for each in functions if each.startswith(prefix))
    return sorted(name for name in names if not name.endswith(RELAY))


def queue_name(consumer: Consumer) -> str:
    """Return the name of the queue that feeds its function."""
    return name_in(consumer.queue_url)


def name_in(url: str) -> str:
    """Return the name of the queue at a URL."""
    return url.rpartition("/")[2]


def wait_until_settled(clients: Clients, stage: str, consumer: str) -> str:
    """Wait until the mapping's state is stable, and return it; raises UserError if it is not."""
    lambda_ = clients.client("lambda")
    found = _consumer(clients, stage, consumer)
    deadline = time.monotonic() + SECONDS_TO_SETTLE
    while (state := str(_mapping(lambda_, found)["State"])) not in SETTLED:
        if time.monotonic() > deadline:
            raise UserError(
                f"It is asked for, but after {SECONDS_TO_SETTLE} s the mapping of "
                f"{queue_name(found)} is still {state}: `patchbay status` shows how it ends."
            )
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return state


def _switch(clients: Clients, stage: str, name: str, *, on: bool) -> bool:
    lambda_ = clients.client("lambda")
    mapping = _mapping(lambda_, _consumer(clients, stage, name))
    if (mapping["State"] not in STOPPED) == on:
        return False
    try:
        lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)
    except lambda_.exceptions.ResourceInUseException as error:
        raise UserError(
            f"Somebody is changing the mapping of {name!r} ({mapping['State']}): try again in a "
            "minute."
        ) from error
    return True


def _consumer(clients: Clients, stage: str, name: str) -> Consumer:
    consumers = deployed_consumers(clients, bus_name(stage))
    if not consumers:
        raise not_deployed(clients, stage, f"consumer on the bus {bus_name(stage)}")
    return consumer_named(consumers, name)


def _mapping(lambda_: Any, consumer: Consumer) -> EventSourceMapping:
    for mapping in all_mappings(lambda_):
        if _queue(mapping) == queue_name(consumer):
            return mapping
    raise UserError(f"Nothing polls the queue of {consumer.name!r}: was it just deleted?")


def _queue(mapping: EventSourceMapping) -> str:
    return str(mapping["EventSourceArn"]).rpartition(":")[2]
