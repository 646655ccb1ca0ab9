"""Redrivers: each sends dead letters to one kind of target, and confirms that they arrived."""

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

# The attributes that a message gets when it becomes a dead letter. They are not sent again: if it
# fails again, it gets new ones. EventBridge's are documented in
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
STALE = {
    "Reason", "Consumer", "OriginalMessageId", "Attempts",
    "RULE_ARN", "TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE", "RETRY_ATTEMPTS",
    "EXHAUSTED_RETRY_CONDITION",
}  # fmt: skip
SENT_AGAIN = ("DataType", "StringValue", "BinaryValue")  # the fields of an attribute
ACCEPTED = 202  # Lambda's status code for an asynchronous invocation


class Redriver(Protocol):
    """A sender of dead letters to a redrive target."""

    def redrive(self, dead_letters: Sequence[DeadLetter]) -> Mapping[str, str]:
        """Send dead letters; return the reasons of failures by id. All others have arrived."""

    def has_returned(self, message: Message) -> bool:
        """Return True if the message was redriven before, and has failed again."""


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
    """A dead letter that is sent to a queue."""

    dead_letter: DeadLetter
    group: str
    attributes: Mapping[str, Mapping[str, Any]]

    @property
    def size(self) -> int:
        """The number of bytes, as SQS counts them."""
        size = len(self.dead_letter.body.encode())
        for name, value in self.attributes.items():
            content = value.get("BinaryValue") or value.get("StringValue", "").encode()
            size += len(name.encode()) + len(value["DataType"].encode()) + len(content)
        return size


class QueueRedriver:
    """A redriver that sends the messages to a queue."""

    def __init__(self, sqs: Any, redrive_target: ToQueue) -> None:
        self._sqs = sqs
        self._target = redrive_target
        self._sent: set[str] = set()

    def redrive(self, dead_letters: Sequence[DeadLetter]) -> Mapping[str, str]:
        """Send them, each group in order; after a failure, the rest of its group is not sent."""
        failed: dict[str, str] = {}
        blocked: set[str] = set()
        for request in requests([self._outgoing(each) for each in dead_letters]):
            waiting = [each for each in request if each.group in blocked]
            failed |= {
                each.dead_letter.id: "an earlier message of its group failed" for each in waiting
            }
            refused = self._send([each for each in request if each.group not in blocked])
            failed |= refused
            blocked |= {each.group for each in request if each.dead_letter.id in failed}
        return failed

    def has_returned(self, message: Message) -> bool:
        """Return True if it was redriven: SQS keeps its id, `Reject` writes it to an attribute."""
        original = message.get("MessageAttributes", {}).get("OriginalMessageId", {})
        return bool({message["MessageId"], original.get("StringValue")} & self._sent)

    def _outgoing(self, dead_letter: DeadLetter) -> _Outgoing:
        attributes = {
            name: {key: value[key] for key in SENT_AGAIN if key in value}
            for name, value in dead_letter.attributes.items()
            if name not in STALE
        }
        # In a standard queue, no message waits for another: each is a group of its own.
        group = self._target.group or dead_letter.group or dead_letter.id
        return _Outgoing(dead_letter, group if self._target.is_fifo else dead_letter.id, attributes)

    def _send(self, request: Sequence[_Outgoing]) -> dict[str, str]:
        if not request:
            return {}
        entries = [self._entry(str(number), each) for number, each in enumerate(request)]
        answer = self._sqs.send_message_batch(QueueUrl=self._target.url, Entries=entries)
        arrived = {int(each["Id"]): each["MessageId"] for each in answer.get("Successful", [])}
        self._sent |= set(arrived.values())
        why = {int(each["Id"]): _reason(each) for each in answer.get("Failed", [])}
        # Only a message that SQS confirms has arrived.
        return {
            each.dead_letter.id: why.get(number, "SQS did not confirm it")
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
            # Not the event's deduplication id: SQS may have seen that in the last five minutes. It
            # is the same in every run: after a run that was killed, SQS drops the duplicate.
            entry["MessageGroupId"] = outgoing.group
            entry["MessageDeduplicationId"] = f"redriven-{outgoing.dead_letter.id}"
        return entry


class FunctionRedriver:
    """A redriver that starts a schedule's runs again, asynchronously, as Scheduler does."""

    def __init__(self, lambda_: Any, redrive_target: ToFunction) -> None:
        self._lambda = lambda_
        self._target = redrive_target
        self._started: set[str] = set()

    def redrive(self, dead_letters: Sequence[DeadLetter]) -> Mapping[str, str]:
        """Invoke the function for each run; Lambda accepts it, and runs it later."""
        return {each.id: why for each in dead_letters if (why := self._start(each))}

    def has_returned(self, message: Message) -> bool:
        """Return True if it was redriven: a run is identified by its schedule and due time."""
        return _payload(message["Body"]) in self._started

    def _start(self, dead_letter: DeadLetter) -> str | None:
        payload = _payload(dead_letter.body)
        if payload is None:
            return "it is not a schedule's run: its body is not a JSON object"
        answer = self._lambda.invoke(
            FunctionName=self._target.function, InvocationType="Event", Payload=payload.encode()
        )
        if answer["StatusCode"] != ACCEPTED:
            return f"Lambda answered {answer['StatusCode']}"
        self._started.add(payload)
        return None


def _payload(body: str) -> str | None:
    """Return the function's payload: Lambda wraps it in a record, Scheduler does not."""
    found = parse_object(body)
    run = found.get("requestPayload") if "requestContext" in found else found
    return json.dumps(run, sort_keys=True) if isinstance(run, dict) and run else None


def _reason(failure: Mapping[str, Any]) -> str:
    return failure.get("Message") or str(failure["Code"])
