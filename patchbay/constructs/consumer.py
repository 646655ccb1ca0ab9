"""A consumer: rule → queue → function, with all that keeps its failures its own.

An ordered consumer has a relay between rule and queue: patchbay/constructs/ordered_intake.py.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, cast

from aws_cdk import CfnResource, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from patchbay.constructs.alarms import alarm_on_age
from patchbay.constructs.claims import allow_claims
from patchbay.constructs.dead_letter_queue import DeadLetterQueue
from patchbay.constructs.function import DEFAULT_TIMEOUT, Function
from patchbay.constructs.ordered_intake import GROUP, Intake, check_key
from patchbay.constructs.stage import Stage
from patchbay.constructs.work_queue import WorkQueue
from patchbay.events.event import NAMESPACE, Event
from patchbay.events.filters import Where, selections
from patchbay.project.naming import REPLAY_NAME, replay_name

BATCH_SIZE = 10
# With backoff from 1 s, doubling, at full jitter: about 16 minutes of trying, on average.
MAX_RECEIVE_COUNT = 12
DELIVERY_ATTEMPTS = 185  # EventBridge's own limit, as is its age
DELIVERY_MAX_AGE = Duration.hours(24)
# A FIFO queue's limits are then those of each message group, and not of all together.
_HIGH_THROUGHPUT: Mapping[str, Any] = {
    "fifo": True,
    "deduplication_scope": sqs.DeduplicationScope.MESSAGE_GROUP,
    "fifo_throughput_limit": sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
}
# What a rule asks of the field that EventBridge adds to what it replays.
LIVE: Sequence[Mapping[str, Any]] = [{"exists": False}]


def replays_for(consumer: str) -> list[Mapping[str, Any]]:
    """The replays that are meant for a consumer: its own, and those for everyone."""
    return [{"prefix": replay_name(consumer)}, {"prefix": replay_name()}]


class Consumer(Construct):
    """What one consumer consists of. Nothing in it is shared with another.

    With no events named in `on`, it takes every event that there is and will be.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        name: str,
        on: Sequence[type[Event]] | None,
        function: Function,
        where: Where | None = None,
        ordered_by: str | None = None,
        relay: Function | None = None,
        timeout: Duration = DEFAULT_TIMEOUT,
        batch_size: int = BATCH_SIZE,
        max_receive_count: int = MAX_RECEIVE_COUNT,
    ) -> None:
        super().__init__(scope, id)
        self._stage = stage
        self._name = name
        fifo = bool(ordered_by)
        self.dead_letters = DeadLetterQueue(
            self, "DeadLetters", stage=stage, name=f"{name}-dead-letters", fifo=fifo
        )
        # Delivery can fail as well as handling can, and is put right in another way.
        self.undelivered = DeadLetterQueue(
            self, "Undelivered", stage=stage, name=f"{name}-undelivered", of="rule"
        )
        self.queue = WorkQueue(
            self,
            "Queue",
            stage=stage,
            name=name + (".fifo" if fifo else ""),
            dead_letters=self.dead_letters,
            max_receive_count=max_receive_count,
            timeout=timeout,
            **(_HIGH_THROUGHPUT if fifo else {}),
        )
        self.intake: Intake | None = None
        if ordered_by and relay:
            check_key(ordered_by, on or ())
            self.intake = Intake(
                self, "Intake", stage=stage, name=name, relay=relay, ordered_by=ordered_by,
                into=self.queue,
            )  # fmt: skip
        self._subscribe(on, where)
        self._feed(function, batch_size)
        if on:
            allow_claims(function, stage, "s3:GetObject", on)
        alarm_on_age(self, stage, name, self.queue)

    def _subscribe(self, on: Sequence[type[Event]] | None, where: Where | None) -> None:
        if on is None:
            everything = events.Match.prefix(f"{NAMESPACE}.")
            self._rule("everything", events.EventPattern(source=everything), LIVE)
            return
        selected = selections(on, where)
        for selection in selected:
            source = selection.source
            alone = [each.source for each in selected].count(source) == 1
            # Those that are filtered each in their own way are told apart by their types.
            part = source if alone else f"{source}-{'-'.join(selection.types).lower()}"
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
            rule_name=self._stage.named(f"{self._name}-{part.replace('.', '-')}"),
            event_bus=events.EventBus.from_event_bus_name(
                self, f"Bus-{part}", self._stage.bus_name
            ),
            event_pattern=pattern,
            targets=[self._target],
        )
        # The CDK's own pattern has no such field.
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

    def _feed(self, function: Function, batch_size: int) -> None:
        function.function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=batch_size,
                max_concurrency=self._stage.max_concurrency,
                report_batch_item_failures=True,
            )
        )
        self.dead_letters.grant_send_messages(function.function)
        for variable, value in {
            "CONSUMER": self._name,
            "QUEUE_URL": self.queue.queue_url,
            "DEAD_LETTER_QUEUE_URL": self.dead_letters.queue_url,
        }.items():
            function.function.add_environment(variable, value)
