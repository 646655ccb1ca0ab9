"""The event bus with its archive, and the permission to publish on it."""

from collections.abc import Iterator, Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from patchbay.constructs.stage import bus_name, removal_policy, stage_of
from patchbay.events.event import Event, namespace

ARCHIVED_FOR = Duration.days(90)


class EventBus(events.EventBus):
    """A stage's bus, with an archive of every event for replays."""

    def __init__(self, scope: Construct, id: str, *, archived_for: Duration = ARCHIVED_FOR) -> None:
        super().__init__(
            scope, id, event_bus_name=bus_name(scope), description="Every event of the system."
        )
        self.apply_removal_policy(removal_policy(scope))
        # The embedded cloud refuses a template with an archive; its archive is created by API.
        if not stage_of(scope).is_local:
            self._archive_for(archived_for)

    def _archive_for(self, retention: Duration) -> None:
        archive = self.archive(
            "Archive",
            archive_name=bus_name(self),
            description="Every event, for replays.",
            event_pattern=events.EventPattern(source=every_source()),
            retention=retention,
        )
        archive.apply_removal_policy(removal_policy(self))


def every_source() -> list[str]:
    """Return the matcher of all sources of the project's events."""
    return events.Match.prefix(f"{namespace()}.")


def publishing(scope: Construct, publishes: Sequence[type[Event]]) -> Iterator[iam.PolicyStatement]:
    """Yield the policy statements that allow publishing just these events, one for each source."""
    bus = Stack.of(scope).format_arn(
        service="events", resource="event-bus", resource_name=bus_name(scope)
    )
    for source in sorted({event.source() for event in publishes}):
        types = sorted(e.detail_type() for e in publishes if e.source() == source)
        yield iam.PolicyStatement(
            actions=["events:PutEvents"],
            resources=[bus],
            # On AWS, PutEvents always has both keys, so this is as strict as StringEquals.
            # The embedded cloud's evaluator has neither.
            conditions={
                "StringEqualsIfExists": {"events:source": source, "events:detail-type": types}
            },
        )
