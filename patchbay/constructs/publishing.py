"""What whoever publishes is allowed: to put its own service's events on the system's bus."""

from collections.abc import Iterator, Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from patchbay.constructs.stage import Stage
from patchbay.events.event import Event


def publishing(
    stack: Stack, stage: Stage, publishes: Sequence[type[Event]]
) -> Iterator[iam.PolicyStatement]:
    """The statements that allow just these events, one for each source."""
    bus = stack.format_arn(service="events", resource="event-bus", resource_name=stage.bus_name)
    for source in sorted({event.source() for event in publishes}):
        types = sorted(e.detail_type() for e in publishes if e.source() == source)
        yield iam.PolicyStatement(
            actions=["events:PutEvents"],
            resources=[bus],
            # On AWS a PutEvents always carries both keys, which makes this as strict as
            # StringEquals; the embedded cloud's evaluator knows neither.
            conditions={
                "StringEqualsIfExists": {"events:source": source, "events:detail-type": types}
            },
        )
