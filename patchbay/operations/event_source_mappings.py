"""Lambda's event source mappings: which function reads which queue or stream."""

from collections.abc import Iterator, Mapping
from typing import Any

EventSourceMapping = Mapping[str, Any]
"""As ListEventSourceMappings gives it."""


def all_mappings(lambda_: Any) -> Iterator[EventSourceMapping]:
    """Yield those of the whole account and region, also of other systems."""
    for page in lambda_.get_paginator("list_event_source_mappings").paginate():
        yield from page["EventSourceMappings"]


def function_of(mapping: EventSourceMapping) -> str:
    """Return the name of the function that reads, without its version or alias."""
    arn: str = mapping["FunctionArn"]
    return arn.partition(":function:")[2].partition(":")[0]


def reads_queue(mapping: EventSourceMapping) -> bool:
    """Return whether it reads a queue, and not a stream."""
    return ":sqs:" in mapping["EventSourceArn"]
