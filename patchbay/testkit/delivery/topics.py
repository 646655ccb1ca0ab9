"""SNS: delivers the messages of a topic to its subscriptions, queues and functions."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from patchbay.testkit.aws.function import Function
from patchbay.testkit.aws.iam import Call, allows_service
from patchbay.testkit.aws.permissions import may_invoke
from patchbay.testkit.aws.queue import Queue
from patchbay.testkit.clock import Clock
from patchbay.testkit.delivery.asynchronous import Asynchronous
from patchbay.testkit.errors import NotInTheKit
from patchbay.testkit.history import History
from patchbay.testkit.reading.intrinsics import REGION
from patchbay.testkit.reading.unknown import refuse
from patchbay.testkit.templates import Templates
from patchbay.topology.event_pattern import EventPattern

SNS = "sns.amazonaws.com"
# Protocols that leave the system: a test could see no effect of them.
_EXTERNAL_PROTOCOLS = {"application", "email", "email-json", "sms"}


@dataclass(frozen=True)
class Subscription:
    """A subscription, as its template defines it."""

    topic: str  # its ARN
    properties: Mapping[str, Any]
    name: str
    arn: str

    @property
    def protocol(self) -> str:
        return str(self.properties["Protocol"])

    @property
    def endpoint(self) -> str:
        return str(self.properties.get("Endpoint", ""))

    @cached_property
    def _filter(self) -> EventPattern | None:
        policy = self.properties.get("FilterPolicy")
        return EventPattern(json.dumps(policy)) if policy else None

    def passes(self, message: str, attributes: Mapping[str, Any]) -> bool:
        """Return whether its filter policy lets a message through."""
        if self._filter is None:
            return True
        if self.properties.get("FilterPolicyScope") == "MessageBody":
            try:
                return self._filter.matches(json.dumps(json.loads(message)))
            except ValueError:
                return False
        plain = {name: _plain(each) for name, each in attributes.items()}
        return self._filter.matches(json.dumps(plain))


class Topics:
    """Every topic of the templates."""

    def __init__(
        self,
        clock: Clock,
        history: History,
        templates: Callable[[], Templates],
        queues: Callable[[str], Queue | None],
        asynchronous: Asynchronous,
        wake: Callable[[Queue], None],
    ) -> None:
        self._clock = clock
        self._history = history
        self._current = templates
        self._queue = queues
        self._asynchronous = asynchronous
        self._wake = wake
        self._count = 0

    def answer(self, operation: str, parameters: Mapping[str, Any]) -> Any:
        """Answer Publish and PublishBatch."""
        topic = parameters.get("TopicArn")
        if not topic:
            raise NotInTheKit(
                f"Something publishes to {dict(parameters)}: the kit simulates topics only."
            )
        if operation == "Publish":
            return {"MessageId": self.publish(topic, parameters["Message"], parameters)}
        entries = parameters["PublishBatchRequestEntries"]
        sent = [
            {"Id": each["Id"], "MessageId": self.publish(topic, each["Message"], each)}
            for each in entries
        ]
        return {"Successful": sent, "Failed": []}

    def publish(self, topic: str, message: str, parameters: Mapping[str, Any]) -> str:
        """Deliver a message to all subscriptions of a topic, and return its id."""
        self._count += 1
        message_id = f"00000000-0000-0000-0000-{self._count:012}"
        self._history.note(topic.rpartition(":")[2], "received", message[:60])
        attributes = parameters.get("MessageAttributes", {})
        for subscription in self._subscriptions(topic):
            if subscription.passes(message, attributes):
                self._deliver(subscription, message, message_id, parameters)
        return message_id

    def _subscriptions(self, topic: str) -> Iterator[Subscription]:
        templates = self._current()
        for resource in templates.all("AWS::SNS::Subscription"):
            if resource.properties["TopicArn"] == topic:
                yield Subscription(
                    topic, resource.properties, str(resource), f"{topic}:{resource.id}"
                )
        for resource in templates.all("AWS::SNS::Topic"):
            if resource.stack.names.arn(resource.id) == topic:
                for number, each in enumerate(resource.properties.get("Subscription", [])):
                    yield Subscription(topic, each, str(resource), f"{topic}:{number}")

    def _deliver(
        self,
        subscription: Subscription,
        message: str,
        message_id: str,
        parameters: Mapping[str, Any],
    ) -> None:
        refuse(subscription.endpoint, subscription.name)
        if subscription.protocol in _EXTERNAL_PROTOCOLS:
            self._history.note(subscription.endpoint, "was sent", message[:60])
            return
        envelope = _envelope(subscription, message, message_id, parameters, self._clock)
        if subscription.protocol == "lambda":
            function = self._current().function(subscription.endpoint)
            self._to_function(subscription, function, envelope)
            return
        queue = self._queue(subscription.endpoint) if subscription.protocol == "sqs" else None
        if queue is None:
            raise NotInTheKit(
                f"A message reaches {subscription.name}, a subscription of "
                f"{subscription.protocol} to {subscription.endpoint}: the kit simulates those of "
                "the app's queues and functions only."
            )
        raw = str(subscription.properties.get("RawMessageDelivery", "")).lower() == "true"
        self._to_queue(subscription, queue, message if raw else json.dumps(envelope), parameters)

    def _to_function(
        self, subscription: Subscription, function: Function, envelope: dict[str, Any]
    ) -> None:
        if not may_invoke(self._current(), function, SNS, subscription.topic):
            why = f"{function.name} does not let SNS invoke it for {subscription.topic}"
            self._fail(subscription, json.dumps(envelope), function.name, why)
            return
        certificates = {"SignatureVersion": "1", "Signature": "", "SigningCertUrl": ""}
        record = {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription.arn,
            "Sns": {**certificates, "MessageAttributes": {}, **envelope},
        }
        text = json.dumps({"Records": [record]})
        self._clock.at(self._clock.now, lambda: self._asynchronous.take(function, text))

    def _to_queue(
        self, subscription: Subscription, queue: Queue, body: str, parameters: Mapping[str, Any]
    ) -> None:
        call = Call("sqs:SendMessage", queue.arn, {"aws:SourceArn": [subscription.topic]})
        if not allows_service(queue.statements, SNS, call):
            why = f"the policy of {queue.name} does not let SNS send for {subscription.topic}"
            self._fail(subscription, body, queue.name, why)
            return
        sent = queue.send(
            body,
            group=parameters.get("MessageGroupId"),
            deduplication=parameters.get("MessageDeduplicationId"),
        )
        self._history.sent(queue.name, sent, body)
        self._wake(queue)

    def _fail(self, subscription: Subscription, body: str, to: str, why: str) -> None:
        dead = subscription.properties.get("RedrivePolicy", {}).get("deadLetterTargetArn")
        queue = self._queue(dead) if dead else None
        if queue is None:
            self._history.dropped(to, "a message", body[:60], why)
            return
        self._history.sent(queue.name, queue.send(body), body)


def _envelope(
    subscription: Subscription,
    message: str,
    message_id: str,
    parameters: Mapping[str, Any],
    clock: Clock,
) -> dict[str, Any]:
    """Return a message in SNS's envelope, as it is delivered unless it is raw."""
    envelope: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": subscription.topic,
        "Message": message,
        "Timestamp": clock.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "SignatureVersion": "1",
        "Signature": "of the kit",
        "SigningCertURL": f"https://sns.{REGION}.amazonaws.com/none.pem",
        "UnsubscribeURL": f"https://sns.{REGION}.amazonaws.com/?Action=Unsubscribe",
    }
    if "Subject" in parameters:
        envelope["Subject"] = parameters["Subject"]
    if attributes := parameters.get("MessageAttributes"):
        envelope["MessageAttributes"] = {
            name: {"Type": each["DataType"], "Value": each.get("StringValue", "")}
            for name, each in attributes.items()
        }
    return envelope


def _plain(attribute: Mapping[str, Any]) -> Any:
    text = attribute.get("StringValue", "")
    if attribute["DataType"] == "Number" or attribute["DataType"] == "String.Array":
        return json.loads(text)
    return text
