"""The queries of a test on its cloud. Functions are named without system and stage."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from moto.ses.models import ses_backends
from moto.sqs.models import Message

from patchbay.testkit.aws.buckets import Buckets
from patchbay.testkit.aws.function import CONSUMER_NAME, MEMORY, Function
from patchbay.testkit.aws.queue import Queue
from patchbay.testkit.history import Fate, Published
from patchbay.testkit.polling.poller import Poller
from patchbay.testkit.reading.arns import arn_of
from patchbay.testkit.reading.intrinsics import ACCOUNT, REGION
from patchbay.testkit.workflows import Workflows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource
    from mypy_boto3_dynamodb.service_resource import Table as DynamoDBTable


@dataclass(frozen=True)
class DeadLetter:
    """A message in a dead-letter queue."""

    event_id: str
    event_type: str
    reason: str | None
    body: str


class DeadLetters(tuple[DeadLetter, ...]):
    """The dead letters of a dead-letter queue, the oldest first."""

    __slots__ = ()

    @property
    def causes(self) -> list[str]:
        """The ids of their events."""
        return [dead_letter.event_id for dead_letter in self]

    @property
    def reasons(self) -> list[str | None]:
        return [dead_letter.reason for dead_letter in self]


@dataclass(frozen=True)
class Mail:
    """A mail that SES accepted."""

    to: str
    subject: str
    text: str


class View(Workflows):
    """The queries of a cloud."""

    @property
    def consumers(self) -> list[str]:
        """The functions that read a queue, except relays, which are a part of their consumer."""
        functions = [poller.mapping.function for poller in self._system.pollers]
        return sorted(each.short_name for each in functions if not each.relays_to)

    @property
    def wire_taps(self) -> set[str]:
        """The consumers that take all events. They may handle an event twice."""
        naming = {
            target.queue.name
            for rule in self._system.rules
            if rule.names_types
            for target in rule.targets
            if target.queue
        }
        return {each for each in self.consumers if self.intake(each).name not in naming}

    @property
    def naturally_idempotent(self) -> set[str]:
        """The consumers without an idempotency table: they may handle an event twice.

        Every wire tap is among them.
        """
        functions = [poller.mapping.function for poller in self._system.pollers]
        without = {each.short_name for each in functions if MEMORY not in each.environment}
        return without & set(self.consumers)

    def published(self, detail_type: str | None = None) -> list[Published]:
        """Return the published events, all or of one type."""
        events = self._system.history.published
        return [event for event in events if detail_type in (None, event.type)]

    def delivered_to(self, event_id: str) -> list[str]:
        """Return the consumers into whose queues EventBridge has put an event."""
        queues = {
            delivery.queue
            for event in self.published()
            if event.id == event_id
            for delivery in event.deliveries
        }
        return [each for each in self.consumers if self.intake(each).name in queues]

    def handled(self, consumer: str) -> list[str]:
        """Return the ids of the events that a consumer has handled, once for each time."""
        function = self._function(consumer)
        if CONSUMER_NAME in function.environment:
            self.queue(consumer)
            return [str(line["event_id"]) for line in self.logs(consumer, "handled")]
        queues = {each.name for each in self._queues_of(function)}
        if not queues:
            self._check_invoked(function)
        queues.add(function.name)
        return [
            delivery.event_id
            for delivery in self._system.history.deliveries.values()
            if delivery.queue in queues and delivery.fate is Fate.HANDLED
        ]

    def handled_at(self, consumer: str) -> dict[str, datetime]:
        """Return the time at which a consumer first handled each event, by the event's id."""
        name = self.queue(consumer).name
        times: dict[str, datetime] = {}
        for delivery in self._system.history.deliveries.values():
            if (
                delivery.queue == name
                and delivery.fate is Fate.HANDLED
                and delivery.ended is not None
            ):
                times.setdefault(delivery.event_id, datetime.fromtimestamp(delivery.ended, UTC))
        return times

    def dead_letters(self, function: str) -> DeadLetters:
        """Return a consumer's dead letters, and those of an outbox or a schedule.

        For a function that events or topics invoke, they are the events that Lambda gave up; for
        a queue, those in its dead-letter queue.
        """
        for schedule in self._system.schedules.all:
            if schedule.function.short_name == function:
                return DeadLetters(self._dead_letters_in(dict.fromkeys(schedule.failures)))
        for stream in self._system.streams:
            if stream.mapping.function.short_name == function:
                failed = stream.mapping.on_failure
                return DeadLetters(self._dead_letters_in([failed] if failed else []))
        if not self._is_polled(function) and not self._queue_called(function):
            failures = self._system.options_of(self._function(function)).failures
            return DeadLetters(self._dead_letters_in(dict.fromkeys(failures)))
        dead = self.queue(function).dead_letters
        return DeadLetters(self._dead_letters_in([dead] if dead else []))

    def undelivered(self, consumer: str) -> DeadLetters:
        """Return the events that EventBridge or a relay could not deliver to a consumer's queue."""
        if not self._is_polled(consumer) and not self._queue_called(consumer):
            function = self._function(consumer)
            targets = [each for rule in self._system.rules for each in rule.targets]
            dead = [each.dead_letters for each in targets if each.function == function]
            return DeadLetters(self._dead_letters_in(dict.fromkeys(each for each in dead if each)))
        queue = self.queue(consumer)
        return DeadLetters(self._dead_letters_in(self._undelivered_of(queue)))

    def waiting(self, consumer: str) -> int:
        """Return the number of messages in a consumer's queue and its relay's, in flight or not."""
        queue = self.queue(consumer)
        return sum(map(len, {queue, self._system.intake_of(queue)}))

    @property
    def lost(self) -> list[str]:
        """One sentence for each event or message that is lost."""
        return self._system.history.lost()

    def logs(self, function: str, message: str | None = None) -> list[dict[str, Any]]:
        """Return the log of a function, or its lines with that `message`."""
        name = self._function(function).short_name
        lines = self._system.functions.logs.get(name, [])
        return [line for line in lines if message in (None, line.get("message"))]

    def mails(self) -> list[Mail]:
        """Return the sent mails, in order."""
        sent: list[Any] = ses_backends[ACCOUNT][REGION].sent_messages
        return [
            Mail(to, mail.subject, mail.body)
            for mail in sent
            for to in mail.destinations["ToAddresses"]
        ]

    @property
    def tables(self) -> list[str]:
        """Every table, without system and stage."""
        names = (table.name for table in _dynamodb().tables.all())
        return [self._system.templates.short(name) for name in names]

    def table(self, name: str) -> list[dict[str, Any]]:
        """Return every item of a table, by its name without system and stage."""
        return [_plain(item) for item in self.resource_table(name).scan()["Items"]]

    def resource_table(self, name: str) -> "DynamoDBTable":
        """Return a table as a boto3 resource, for the test to read and write."""
        physical = self._system.templates.physical("AWS::DynamoDB::Table", name)
        return _dynamodb().Table(physical)

    def messages(self, queue: str) -> list[str]:
        """Return the bodies of all messages in a queue, in flight or not, the oldest first."""
        return [message.body for message in self.queue(queue).messages()]

    @property
    def buckets(self) -> Buckets:
        """The buckets of S3."""
        return self._system.buckets

    def history(self) -> str:
        """Return the published events, with their deliveries and their states."""
        return self._system.history.render()

    @property
    def log(self) -> str:
        """Everything that happened, one line each: the same in every run with the same seed."""
        return self._system.history.log

    # Clients

    def client(self, service: str, /) -> Any:
        """Return a boto3 client of this cloud, as `patchbay.operations.clients.Clients` does."""
        return _client(service)

    # Names

    @property
    def prefix(self) -> str:
        """The prefix of every physical name: the system and the stage."""
        return self._system.templates.prefix

    def queue(self, consumer: str) -> Queue:
        """Return a consumer's queue, or the queue of that name."""
        if not self._is_polled(consumer) and (queue := self._queue_called(consumer)):
            return queue
        return self._poller(consumer).mapping.queue

    def intake(self, consumer: str) -> Queue:
        """Return the queue that a consumer's rules send to: its own, or its relay's."""
        return self._system.intake_of(self.queue(consumer))

    def _poller(self, consumer: str) -> Poller:
        name = self._name(consumer)
        for poller in self._system.pollers:
            if poller.mapping.function.short_name == name:
                return poller
        raise LookupError(f"There is no consumer {consumer!r}: there are {self.consumers}.")

    def _is_polled(self, consumer: str) -> bool:
        name = self._name(consumer)
        return any(each.mapping.function.short_name == name for each in self._system.pollers)

    def _queues_of(self, function: Function) -> list[Queue]:
        mappings = [poller.mapping for poller in self._system.pollers]
        return [each.queue for each in mappings if each.function.name == function.name]

    def _check_invoked(self, function: Function) -> None:
        """Raise LookupError unless events or topics invoke the function."""
        templates = self._system.templates
        by_rule = (t.function for rule in self._system.rules for t in rule.targets)
        by_topic = (
            each.properties.get("Endpoint") for each in templates.all("AWS::SNS::Subscription")
        )
        if function not in by_rule and function.arn not in by_topic:
            name = function.short_name
            raise LookupError(f"There is no consumer {name!r}: there are {self.consumers}.")

    def _queue_called(self, name: str) -> Queue | None:
        templates = self._system.templates
        for resource in templates.all("AWS::SQS::Queue"):
            if name in templates.names_of(resource):
                return self._system.queues[arn_of(resource.kind, resource.name)]
        return None

    def _name(self, called: str) -> str:
        """Return the short name of a function by any of its names."""
        try:
            return self._function(called).short_name
        except LookupError:
            return called

    def _function(self, called: str) -> Function:
        return self._system.templates.function_called(called)

    def _undelivered_of(self, queue: Queue) -> list[Queue]:
        intake = self._system.intake_of(queue)
        found: list[Queue] = []
        for rule in self._system.rules:
            for target in rule.targets:
                if target.queue is intake and target.dead_letters not in [None, *found]:
                    found += [target.dead_letters] if target.dead_letters else []
        if intake is not queue and intake.dead_letters:
            found.append(intake.dead_letters)
        return found

    def _dead_letters_in(self, queues: Iterable[Queue]) -> Iterator[DeadLetter]:
        for queue in queues:
            for message in queue.messages():
                yield self._dead_letter(message)

    def _dead_letter(self, message: Message) -> DeadLetter:
        delivery = self._system.history.deliveries[message.id]
        attributes = message.message_attributes
        named = ("Reason", "ERROR_MESSAGE", "ErrorMessage")
        given = next((attributes[name] for name in named if name in attributes), None)
        reason = given["StringValue"] if given else delivery.last_error or _reason_in(message.body)
        return DeadLetter(delivery.event_id, delivery.event_type, reason, message.body)


def _reason_in(body: str) -> str | None:
    """Return the error in a message that Lambda sent to a failure destination, if it is one."""
    try:
        found = json.loads(body)["responsePayload"]["errorMessage"]
    except (ValueError, KeyError, TypeError):
        return None
    return str(found)


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item with whole numbers as int."""
    return {
        key: int(value) if isinstance(value, Decimal) and value == int(value) else value
        for key, value in item.items()
    }


# Created once, because creating a client takes as long as a test. moto serves every cloud.


@cache
def _client(service: str) -> Any:
    client: Any = boto3.client(service, region_name=REGION)  # type: ignore[call-overload]
    return client


@cache
def _dynamodb() -> "DynamoDBServiceResource":
    return boto3.resource("dynamodb", region_name=REGION)
