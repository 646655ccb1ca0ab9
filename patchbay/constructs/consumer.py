"""A consumer: rule → queue → function, isolated from all other consumers.

An ordered consumer has a relay between rule and queue: patchbay/constructs/ordered_intake.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from aws_cdk import CfnResource, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from patchbay.constructs.alarms import alarm_on_age
from patchbay.constructs.event_bus import every_source
from patchbay.constructs.function import DEFAULT_TIMEOUT, MEMORY, Function
from patchbay.constructs.ordered_intake import GROUP, Intake, check_key
from patchbay.constructs.queues import DeadLetterQueue, WorkQueue
from patchbay.constructs.stage import bus_name, max_concurrency, named, stage_of
from patchbay.events.event import Event
from patchbay.events.filters import Where, selections
from patchbay.project.naming import REPLAY_NAME, replay_name

BATCH_SIZE = 10
# With backoff from 1 s, doubling, at full jitter: about 16 minutes of retries, on average.
ATTEMPTS = 12
DELIVERY_ATTEMPTS = 185  # EventBridge's own limit, as is its age
DELIVERY_MAX_AGE = Duration.hours(24)
# A FIFO queue's limits then apply to each message group, and not to the whole queue.
_HIGH_THROUGHPUT: Mapping[str, Any] = {
    "fifo": True,
    "deduplication_scope": sqs.DeduplicationScope.MESSAGE_GROUP,
    "fifo_throughput_limit": sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
}
# Matches live events: only replayed events have the field that EventBridge adds.
LIVE: Sequence[Mapping[str, Any]] = [{"exists": False}]


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """The options that a team tunes for one consumer."""

    attempts: int = ATTEMPTS
    """The maximum receive count: after that many attempts, an event is a dead letter."""
    longest_backoff: Duration | None = None
    """The longest wait between two attempts; None for 15 minutes."""
    concurrency: int | None = None
    """The number of batches handled at once; None for the default of the stage's kind."""
    batch_size: int | None = None
    """The number of events in a batch; None for 10, and for 1 in an ordered consumer."""
    timeout: Duration = DEFAULT_TIMEOUT
    """The function's timeout, for a whole batch."""
    memory: int = MEMORY
    """MB; processor time is proportional to it."""

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables that these options set on the function."""
        if self.longest_backoff is None:
            return {}
        return {"BACKOFF_CAP": str(int(self.longest_backoff.to_seconds()))}


@dataclass(frozen=True, kw_only=True)
class Interest:
    """The subscription of a consumer: its events, its filter and its order."""

    on: Sequence[type[Event]] | None
    """The events; None for all events, including those of future contracts."""
    where: Where | None = None
    ordered_by: str | None = None
    relay: Function | None = None
    """The function that sorts the events, if `ordered_by` is set."""


def replays_for(consumer: str) -> list[Mapping[str, Any]]:
    """Return the matchers of the replays for a consumer: its own, and those for everyone."""
    return [{"prefix": replay_name(consumer)}, {"prefix": replay_name()}]


class Consumer(Construct):
    """The resources of one consumer. None of them is shared with another consumer."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        function: Function,
        interest: Interest,
        tuning: Tuning,
    ) -> None:
        """Raises BadFilter and BadKey."""
        super().__init__(scope, id)
        self._name = name
        self._tuning = tuning
        fifo = bool(interest.ordered_by)
        self.dead_letters = DeadLetterQueue(
            self, "DeadLetters", name=f"{name}-dead-letters", fifo=fifo
        )
        # Failed deliveries have a queue of their own: they are redriven in another way.
        self.undelivered = DeadLetterQueue(
            self, "Undelivered", name=f"{name}-undelivered", of="rule"
        )
        self.queue = WorkQueue(
            self,
            "Queue",
            name=name + (".fifo" if fifo else ""),
            dead_letters=self.dead_letters,
            attempts=tuning.attempts,
            timeout=tuning.timeout,
            **(_HIGH_THROUGHPUT if fifo else {}),
        )
        self.intake: Intake | None = None
        if interest.ordered_by and interest.relay:
            check_key(interest.ordered_by, interest.on or ())
            self.intake = Intake(
                self, "Intake", name=name, relay=interest.relay, ordered_by=interest.ordered_by,
                into=self.queue,
            )  # fmt: skip
        self._subscribe(interest)
        self._feed(function, fifo)
        if interest.on:
            function.allow_claims("s3:GetObject", interest.on)
        alarm_on_age(self, name, self.queue)

    def _subscribe(self, interest: Interest) -> None:
        if interest.on is None:
            self._rule("everything", events.EventPattern(source=every_source()), LIVE)
            return
        selected = selections(interest.on, interest.where)
        for selection in selected:
            source = selection.source
            is_only_rule = [each.source for each in selected].count(source) == 1
            # Rules with different filters are named after their events' types.
            part = source if is_only_rule else f"{source}-{'-'.join(selection.types).lower()}"
            pattern = events.EventPattern(
                source=[source], detail_type=list(selection.types), detail=selection.detail
            )
            self._rule(part, pattern, [*LIVE, *replays_for(self._name)])

    def _rule(
        self, part: str, pattern: events.EventPattern, replays: Sequence[Mapping[str, Any]]
    ) -> None:
        rule = events.Rule(
            self,
            f"Rule-{part}",
            rule_name=named(self, f"{self._name}-{part.replace('.', '-')}"),
            event_bus=events.EventBus.from_event_bus_name(self, f"Bus-{part}", bus_name(self)),
            event_pattern=pattern,
            targets=[self._target],
        )
        # The CDK's EventPattern has no such field.
        template = cast(CfnResource, rule.node.default_child)
        template.add_property_override(f"EventPattern.{REPLAY_NAME}", replays)

    @cached_property
    def _target(self) -> targets.SqsQueue:
        return targets.SqsQueue(
            self.intake.queue if self.intake else self.queue,
            message_group_id=GROUP if self.intake else None,
            dead_letter_queue=self.undelivered,
            retry_attempts=DELIVERY_ATTEMPTS,
            max_event_age=DELIVERY_MAX_AGE,
        )

    def _feed(self, function: Function, fifo: bool) -> None:
        # In an ordered consumer, a failure counts as a receive of all later events in its batch.
        default_size = 1 if fifo else BATCH_SIZE
        function.function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=self._tuning.batch_size or default_size,
                max_concurrency=self._tuning.concurrency or max_concurrency(stage_of(self)),
                report_batch_item_failures=True,
            )
        )
        self.dead_letters.grant_send_messages(function.function)
        for variable, value in {
            "CONSUMER": self._name,
            "QUEUE_URL": self.queue.queue_url,
            "DEAD_LETTER_QUEUE_URL": self.dead_letters.queue_url,
            **self._tuning.environment,
        }.items():
            function.function.add_environment(variable, value)
