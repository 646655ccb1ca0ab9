"""Redrivers: each sends dead letters to one kind of target, and knows that they arrived."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from patchbay.messaging.relay import requests
from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.dead_letter import (
    DeadLetter,
    FromStream,
    NotRedrivable,
    RedriveTarget,
    ToFunction,
    ToQueue,
    ToStream,
)
from patchbay.operations.dead_letters.message import Message, parse_object
from patchbay.operations.dead_letters.stream_redrive import RecordRedriver, StreamRedriver

# What was added to a message when it died: another death says it anew. EventBridge's own are
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
STALE = {
    "Reason", "Consumer", "OriginalMessageId", "Attempts",
    "RULE_ARN", "TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE", "RETRY_ATTEMPTS",
    "EXHAUSTED_RETRY_CONDITION",
}  # fmt: skip
SENT_AGAIN = ("DataType", "StringValue", "BinaryValue")  # of an attribute
TAKEN = 202  # what Lambda answers about a run that it will see to


class Redriver(Protocol):
    """A way back."""

    def redrive(self, dead_letters: Sequence[DeadLetter]) -> Mapping[str, str]:
        """Have them get there. Returns why, by id, where one did not; all others have arrived."""

    def has_returned(self, message: Message) -> bool:
        """Return whether that message was redriven before and has failed again."""


def redriver(clients: Clients, redrive_target: RedriveTarget) -> Redriver:
    """Return the redriver for a redrive target."""
    match redrive_target:
        case ToQueue():
            return QueueRedriver(clients.client("sqs"), redrive_target)
        case ToFunction():
            return FunctionRedriver(clients.client("lambda"), redrive_target)
        case FromStream():
            return RecordRedriver(clients, redrive_target)
        case ToStream():
            return StreamRedriver(clients)
        case NotRedrivable():
            raise ValueError(redrive_target.why)


@dataclass(frozen=True)
class _Outgoing:
    """A dead letter on its way into a queue."""

    dead_letter: DeadLetter
    group: str
    attributes: Mapping[str, Mapping[str, Any]]

    @property
    def size(self) -> int:
        """Bytes, as SQS counts them."""
        size = len(self.dead_letter.body.encode())
        for name, value in self.attributes.items():
            content = value.get("BinaryValue") or value.get("StringValue", "").encode()
            size += len(name.encode()) + len(value["DataType"].encode()) + len(content)
        return size


class QueueRedriver:
    """Sends the messages to a queue again."""

    def __init__(self, sqs: Any, redrive_target: ToQueue) -> None:
        self._sqs = sqs
        self._target = redrive_target
        self._sent: set[str] = set()

    def redrive(self, dead_letters: Sequence[DeadLetter]) -> Mapping[str, str]:
        """Send them, each group in its order: behind one that fails, its group waits."""
        failed: dict[str, str] = {}
        held: set[str] = set()
        for request in requests([self._outgoing(each) for each in dead_letters]):
            waiting = [each for each in request if each.group in held]
            failed |= {each.dead_letter.id: "one before it in its group failed" for each in waiting}
            refused = self._send([each for each in request if each.group not in held])
            failed |= refused
            held |= {each.group for each in request if each.dead_letter.id in failed}
        return failed

    def has_returned(self, message: Message) -> bool:
        """Return whether it was redriven: SQS keeps a moved message's id, and `reject` notes it."""
        noted = message.get("MessageAttributes", {}).get("OriginalMessageId", {})
        return bool({message["MessageId"], noted.get("StringValue")} & self._sent)

    def _outgoing(self, dead_letter: DeadLetter) -> _Outgoing:
        attributes = {
            name: {key: value[key] for key in SENT_AGAIN if key in value}
            for name, value in dead_letter.attributes.items()
            if name not in STALE
        }
        # In a queue without groups, none waits for another.
        group = self._target.group or dead_letter.group or dead_letter.id
        return _Outgoing(dead_letter, group if self._target.is_fifo else dead_letter.id, attributes)

    def _send(self, request: Sequence[_Outgoing]) -> dict[str, str]:
        if not request:
            return {}
        entries = [self._entry(str(number), each) for number, each in enumerate(request)]
        answer = self._sqs.send_message_batch(QueueUrl=self._target.url, Entries=entries)
        arrived = {int(each["Id"]): each["MessageId"] for each in answer.get("Successful", [])}
        self._sent |= set(arrived.values())
        why = {int(each["Id"]): _said(each) for each in answer.get("Failed", [])}
        # What is confirmed has arrived, and nothing else has.
        return {
            each.dead_letter.id: why.get(number, "SQS did not say that it took it")
            for number, each in enumerate(request)
            if number not in arrived
        }

    def _entry(self, id: str, outgoing: _Outgoing) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "Id": id,
            "MessageBody": outgoing.dead_letter.body,
            "MessageAttributes": outgoing.attributes,
        }
        if self._target.is_fifo:
            # Another than the event's own, which SQS may have seen just now. Who is killed, and
            # sends it again, is not taken for two.
            entry["MessageGroupId"] = outgoing.group
            entry["MessageDeduplicationId"] = f"redriven-{outgoing.dead_letter.id}"
        return entry


class FunctionRedriver:
    """Starts a schedule's runs anew: as Scheduler does, it is done when Lambda has taken one."""

    def __init__(self, lambda_: Any, redrive_target: ToFunction) -> None:
        self._lambda = lambda_
        self._target = redrive_target
        self._started: set[str] = set()

    def redrive(self, dead_letters: Sequence[DeadLetter]) -> Mapping[str, str]:
        """Start each of them."""
        return {each.id: why for each in dead_letters if (why := self._start(each))}

    def has_returned(self, message: Message) -> bool:
        """Return whether it was redriven: a run is identified by its schedule and due time."""
        return _payload(message["Body"]) in self._started

    def _start(self, dead_letter: DeadLetter) -> str | None:
        payload = _payload(dead_letter.body)
        if payload is None:
            return "it is no run of a schedule: its body is no JSON object"
        answer = self._lambda.invoke(
            FunctionName=self._target.function, InvocationType="Event", Payload=payload.encode()
        )
        if answer["StatusCode"] != TAKEN:
            return f"Lambda answered {answer['StatusCode']}"
        self._started.add(payload)
        return None


def _payload(body: str) -> str | None:
    """Return the function's payload: Lambda wraps it in a record, and Scheduler does not."""
    found = parse_object(body)
    run = found.get("requestPayload") if "requestContext" in found else found
    return json.dumps(run, sort_keys=True) if isinstance(run, dict) and run else None


def _said(failure: Mapping[str, Any]) -> str:
    return failure.get("Message") or str(failure["Code"])
