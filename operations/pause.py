"""Stops a consumer's deliveries, and lets them go on: what comes meanwhile waits in its queue.

By its event source mapping, which polls the queue. Nothing else of it is touched: with no function
to run, or none that may, the poller would go on, and each receive would bring the messages nearer
to the dead letters.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from operations.clients import Clients, OperationFailed
from operations.consumers import Consumer, consumer_named, deployed_consumers
from stacks.naming import bus_name

STOPPED = ("Disabled", "Disabling")


def pause(clients: Clients, stage: str, consumer: str) -> bool:
    """Stop a consumer's deliveries; whether they were not stopped before. Raises OperationFailed.

    What it has in hand it finishes.
    """
    return _switch(clients, stage, consumer, on=False)


def resume(clients: Clients, stage: str, consumer: str) -> bool:
    """Let them go on; whether they were stopped. Raises OperationFailed."""
    return _switch(clients, stage, consumer, on=True)


def paused_queues(clients: Clients) -> set[str]:
    """The names of the queues from which nothing is delivered."""
    return {
        _queue(mapping)
        for mapping in _mappings(clients.client("lambda"))
        if mapping["State"] in STOPPED
    }


def queue_name(consumer: Consumer) -> str:
    """The name of the queue that feeds its function."""
    return consumer.queue_url.rpartition("/")[2]


def _switch(clients: Clients, stage: str, name: str, *, on: bool) -> bool:
    consumer = consumer_named(deployed_consumers(clients, bus_name(stage)), name)
    lambda_ = clients.client("lambda")
    found = [each for each in _mappings(lambda_) if _queue(each) == queue_name(consumer)]
    if not found:
        raise OperationFailed(f"Nothing polls the queue of {name!r}: was it just deleted?")
    if (found[0]["State"] not in STOPPED) == on:
        return False
    lambda_.update_event_source_mapping(UUID=found[0]["UUID"], Enabled=on)
    return True


def _queue(mapping: Mapping[str, Any]) -> str:
    return str(mapping["EventSourceArn"]).rpartition(":")[2]


def _mappings(lambda_: Any) -> Iterator[Mapping[str, Any]]:
    for page in lambda_.get_paginator("list_event_source_mappings").paginate():
        yield from page["EventSourceMappings"]
