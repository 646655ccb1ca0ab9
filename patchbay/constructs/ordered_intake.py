"""Order by a key: events are relayed into a FIFO queue, with a message group for each key.

docs/decisions/ordering.md describes the guarantees.
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
# All messages share one group, so that no two batches are relayed at once.
GROUP = "all"
# Lambda's minimum: with one message group, there is one batch at a time.
MAX_CONCURRENCY = 2
# The relay rejects nothing, so only SQS itself can fail: with waits of up to 5 minutes, it is
# retried for hours.
ATTEMPTS = 100


class BadKey(UserError):
    """The events can't be ordered by that field."""


class Intake(Construct):
    """The queue that a consumer's rules deliver to, and the relay from it to the queue `into`."""

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
            # EventBridge sets no deduplication id.
            content_based_deduplication=True,
        )
        relay.function.add_event_source(
            sources.SqsEventSource(
                self.queue, max_concurrency=MAX_CONCURRENCY, report_batch_item_failures=True
            )
        )
        relay.allow("sqs:SendMessage", on=[into.queue_arn])
        if stage_of(self).is_local:
            # In the embedded cloud's IAM, SendMessageBatch is an action of its own.
            relay.allow("sqs:SendMessageBatch", on=[into.queue_arn])
        for variable, value in {
            "QUEUE_URL": self.queue.queue_url,
            "RELAYS_TO": into.queue_url,
            "ORDERED_BY": ordered_by,
        }.items():
            relay.function.add_environment(variable, value)
        alarm_on_age(self, f"{name}-intake", self.queue)


def check_key(field: str, on: Sequence[type[Event]]) -> None:
    """Raise BadKey if not all of the events have that field, as a string.

    The field may be optional: an event without it has a message group of its own.
    """
    for event in on:
        if field not in event.model_fields:
            raise BadKey(
                f"{event.__name__} can't be ordered by {field!r}, which it does not have. "
                f"{nearest(field, event)} All events of a consumer need the key."
            )
        kinds = kinds_of(event, field)
        if kinds - {"null"} != {"string"}:
            raise BadKey(
                f"{event.__name__} can't be ordered by {field!r}, which holds "
                f"{' or '.join(sorted(kinds))}. The key must be a string, such as a sensor's id."
            )
