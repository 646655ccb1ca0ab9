"""Lambda's event source mappings, by which functions read queues and streams."""

from collections.abc import Iterator, Mapping
from typing import Any

EventSourceMapping = Mapping[str, Any]
"""An item of ListEventSourceMappings."""


def all_mappings(lambda_: Any) -> Iterator[EventSourceMapping]:
    """Yield all mappings of the account and region, also those of other systems."""
    for page in lambda_.get_paginator("list_event_source_mappings").paginate():
        yield from page["EventSourceMappings"]


def function_of(mapping: EventSourceMapping) -> str:
    """Return the name of the mapping's function, without version or alias."""
    arn: str = mapping["FunctionArn"]
    return arn.partition(":function:")[2].partition(":")[0]


def reads_queue(mapping: EventSourceMapping) -> bool:
    """Return True if it reads a queue, False if it reads a stream."""
    return ":sqs:" in mapping["EventSourceArn"]
