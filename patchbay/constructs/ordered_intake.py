"""Order by a key: what EventBridge delivers is relayed into a queue with a message group a key.

docs/decisions/ordering.md says what that gives, and what not.
"""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from patchbay.constructs.alarms import alarm_on_age
from patchbay.constructs.function import Function
from patchbay.constructs.queues import DeadLetterQueue, WorkQueue
from patchbay.constructs.stage import stage_of
from patchbay.errors import UserError
from patchbay.events.event import Event
from patchbay.events.filters import kinds_of, nearest

RELAY = "patchbay.messaging.relay"
TIMEOUT = Duration.seconds(30)
# All share one group, so that no two batches are relayed at once.
GROUP = "all"
# Lambda's least: with one group, there is one batch at a time.
MAX_CONCURRENCY = 2
# The relay rejects nothing, so what fails is SQS itself: with waits of up to 5 minutes, it is tried
# for hours.
ATTEMPTS = 100


class BadKey(UserError):
    """Events can't be put in order by that field."""


class Intake(Construct):
    """The queue that a consumer's rules fill, and the relay that empties it into `into`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        relay: Function,
        ordered_by: str,
        into: sqs.Queue,
    ) -> None:
        super().__init__(scope, id)
        self.dead_letters = DeadLetterQueue(self, "Unrelayed", name=f"{name}-unrelayed", fifo=True)
        self.queue = WorkQueue(
            self,
            "Queue",
            name=f"{name}-intake.fifo",
            dead_letters=self.dead_letters,
            attempts=ATTEMPTS,
            timeout=TIMEOUT,
            fifo=True,
            # EventBridge gives no id by which to tell a duplicate.
            content_based_deduplication=True,
        )
        relay.function.add_event_source(
            sources.SqsEventSource(
                self.queue, max_concurrency=MAX_CONCURRENCY, report_batch_item_failures=True
            )
        )
        relay.allow("sqs:SendMessage", on=[into.queue_arn])
        if stage_of(self).is_local:
            # The embedded cloud takes a batch for an action of its own.
            relay.allow("sqs:SendMessageBatch", on=[into.queue_arn])
        for variable, value in {
            "QUEUE_URL": self.queue.queue_url,
            "RELAYS_TO": into.queue_url,
            "ORDERED_BY": ordered_by,
        }.items():
            relay.function.add_environment(variable, value)
        alarm_on_age(self, f"{name}-intake", self.queue)


def check_key(field: str, on: Sequence[type[Event]]) -> None:
    """Raises BadKey where not all of the events have that field, as a text.

    It may be optional: an event without it is in order with no other.
    """
    for event in on:
        if field not in event.model_fields:
            raise BadKey(
                f"{event.__name__} can't be ordered by {field!r}, which it does not have. "
                f"{nearest(field, event)} A consumer's events have one key in common."
            )
        kinds = kinds_of(event, field)
        if kinds - {"null"} != {"string"}:
            raise BadKey(
                f"{event.__name__} can't be ordered by {field!r}, which holds "
                f"{' or '.join(sorted(kinds))}: the key is a text, such as a customer's id."
            )
