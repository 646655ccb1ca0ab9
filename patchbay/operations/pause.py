"""The pause of a consumer: its deliveries stop, and new messages wait in its queue.

A pause disables the event source mapping, which polls the queue. Without the function, or without
its permission to run, Lambda would go on polling: each receive would count, and the messages would
become dead letters.
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
SECONDS_BETWEEN_POLLS = 0.5
RELAY = "-relay"  # the suffix of a relay function's name


@dataclass(frozen=True)
class DeliveryState:
    """The state of a consumer's deliveries."""

    consumer: Consumer
    state: str
    """Lambda's state of its event source mapping."""
    waiting: int
    """The depth of its queue, with the messages in flight."""
    kept: timedelta
    """The retention period of its queue."""

    @property
    def is_stopped(self) -> bool:
        """True if the mapping is disabled, or is being disabled."""
        return self.state in STOPPED


def delivery_state(clients: Clients, stage: str, consumer: str) -> DeliveryState:
    """Return the state of a consumer's deliveries; raises UserError."""
    found = _consumer(clients, stage, consumer)
    names = ["MessageRetentionPeriod", *ATTRIBUTES]
    answer = clients.client("sqs").get_queue_attributes(
        QueueUrl=found.queue_url, AttributeNames=names
    )
    attributes = answer["Attributes"]
    return DeliveryState(
        found,
        _mapping(clients.client("lambda"), found)["State"],
        depth_in(attributes).total,
        timedelta(seconds=int(attributes["MessageRetentionPeriod"])),
    )


def pause(clients: Clients, stage: str, consumer: str) -> bool:
    """Stop a consumer's deliveries; return False if they were stopped before. Raises UserError.

    Messages in flight are finished.
    """
    return _switch(clients, stage, consumer, on=False)


def resume(clients: Clients, stage: str, consumer: str) -> bool:
    """Start a consumer's deliveries; return False if they were not stopped. Raises UserError."""
    return _switch(clients, stage, consumer, on=True)


def paused_queues(clients: Clients) -> set[str]:
    """Return the names of the queues whose event source mappings are disabled."""
    return {
        _queue(mapping)
        for mapping in all_mappings(clients.client("lambda"))
        if mapping["State"] in STOPPED
    }


def polled_consumers(clients: Clients, stage: str) -> list[str]:
    """Return the names of a stage's consumers, from their functions' names, in one request."""
    prefix = named(stage, "")
    functions = {
        function_of(mapping)
        for mapping in all_mappings(clients.client("lambda"))
        if reads_queue(mapping)
    }
    names = (each.removeprefix(prefix) for each in functions if each.startswith(prefix))
    return sorted(name for name in names if not name.endswith(RELAY))


def queue_name(consumer: Consumer) -> str:
    """Return the name of a consumer's queue."""
    return name_in(consumer.queue_url)


def name_in(url: str) -> str:
    """Return the name of the queue at a URL."""
    return url.rpartition("/")[2]


def wait_until_settled(clients: Clients, stage: str, consumer: str) -> str:
    """Wait until the mapping is enabled or disabled, and return its state; raises UserError."""
    lambda_ = clients.client("lambda")
    found = _consumer(clients, stage, consumer)
    deadline = time.monotonic() + SECONDS_TO_SETTLE
    while (state := str(_mapping(lambda_, found)["State"])) not in SETTLED:
        if time.monotonic() > deadline:
            raise UserError(
                f"After {SECONDS_TO_SETTLE} s, the mapping of {queue_name(found)} is still "
                f"{state}. `patchbay status` shows when Lambda has finished the change."
            )
        time.sleep(SECONDS_BETWEEN_POLLS)
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
            f"The mapping of {name!r} is being changed ({mapping['State']}): try again in a minute."
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
