"""A consumer: rule → queue → function, with all that keeps its failures its own."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contracts.event import Event
from stacks.alarms import alarm_on_age
from stacks.dead_letters import DeadLetterQueue
from stacks.function import DEFAULT_TIMEOUT, Function
from stacks.stage import Stage

BATCH_SIZE = 10
# With backoff from 1 s, doubling, at full jitter: about 16 minutes of trying, on average.
MAX_RECEIVE_COUNT = 12
QUEUE_RETENTION = Duration.days(4)
DELIVERY_ATTEMPTS = 185  # EventBridge's own limit, as is its age
DELIVERY_MAX_AGE = Duration.hours(24)


class Consumer(Construct):
    """What one consumer consists of. Nothing in it is shared with another."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        name: str,
        on: Sequence[type[Event]],
        function: Function,
        timeout: Duration = DEFAULT_TIMEOUT,
        batch_size: int = BATCH_SIZE,
        max_receive_count: int = MAX_RECEIVE_COUNT,
    ) -> None:
        super().__init__(scope, id)
        self._stage = stage
        self._name = name
        self.dead_letters = DeadLetterQueue(
            self, "DeadLetters", stage=stage, name=f"{name}-dead-letters"
        )
        # Delivery can fail as well as handling can, and is put right in another way.
        self.undelivered = DeadLetterQueue(
            self, "Undelivered", stage=stage, name=f"{name}-undelivered", of="rule"
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=stage.named(name),
            # AWS's advice: six times the function's own time.
            visibility_timeout=Duration.seconds(6 * int(timeout.to_seconds())),
            retention_period=QUEUE_RETENTION,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=max_receive_count
            ),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            removal_policy=stage.removal_policy,
        )
        self._subscribe(on)
        self._feed(function, batch_size)
        alarm_on_age(self, stage, name, self.queue)

    def _subscribe(self, on: Sequence[type[Event]]) -> None:
        target = targets.SqsQueue(
            self.queue,
            dead_letter_queue=self.undelivered,
            retry_attempts=DELIVERY_ATTEMPTS,
            max_event_age=DELIVERY_MAX_AGE,
        )
        # A rule for each source: one pattern for all would also pass one's type from another.
        for source in sorted({event.source() for event in on}):
            types = sorted(event.detail_type() for event in on if event.source() == source)
            events.Rule(
                self,
                f"Rule-{source}",
                rule_name=self._stage.named(f"{self._name}-{source.replace('.', '-')}"),
                event_bus=events.EventBus.from_event_bus_name(
                    self, f"Bus-{source}", self._stage.bus_name
                ),
                event_pattern=events.EventPattern(source=[source], detail_type=types),
                targets=[target],
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
