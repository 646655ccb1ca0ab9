"""The layer between boto3 and moto: it enforces IAM, injects faults, and routes each call."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from patchbay.testkit.aws.buckets import Buckets
from patchbay.testkit.aws.calls import calls
from patchbay.testkit.aws.function import Invocation, Lambda
from patchbay.testkit.aws.iam import Statement, allows
from patchbay.testkit.aws.queue import change_visibility
from patchbay.testkit.aws.secrets import Secrets
from patchbay.testkit.delivery.bus import Buses
from patchbay.testkit.delivery.topics import Topics
from patchbay.testkit.errors import NotInTheKit
from patchbay.testkit.faults import Faults
from patchbay.testkit.history import History
from patchbay.testkit.inventory import Inventory
from patchbay.testkit.reading.arns import arn_of, queue_arn_of_url
from patchbay.testkit.reading.unknown import refuse
from patchbay.testkit.states.state_machine import Refused, StateMachines
from patchbay.testkit.states.tasks import Caller

MAX_REQUEST_BYTES = 1024 * 1024  # EventBridge's limit for all entries of a PutEvents request
THE_TEST = "the test"

RealCall = Callable[[Any, str, Mapping[str, Any]], Any]
Changed = Callable[[str], None]
"""Called with what a call may have changed: the ARN of a queue or stream, or a table's name."""


class Aws:
    """The receiver of every boto3 call in the process."""

    def __init__(
        self,
        functions: Lambda,
        faults: Faults,
        history: History,
        buses: Buses,
        buckets: Buckets,
        state_machines: StateMachines,
        topics: Topics,
        secrets: Secrets,
        inventory: Inventory,
        *,
        real: RealCall,
        invoke: Callable[..., Any],
        queue_changed: Changed,
        source_changed: Changed,
    ) -> None:
        self._functions = functions
        self._faults = faults
        self._history = history
        self._buses = buses
        self._buckets = buckets
        self._state_machines = state_machines
        self._topics = topics
        self._secrets = secrets
        self._inventory = inventory
        self._real = real
        self._invoke = invoke
        self._queue_changed = queue_changed
        self._source_changed = source_changed

    def call(self, client: Any, operation: str, parameters: Mapping[str, Any]) -> Any:
        """Perform a call, `client.operation(**parameters)`, in place of botocore."""
        invocation = self._functions.running
        try:
            return self._call(client, operation, parameters, invocation)
        except NotInTheKit as refused:
            # The test must see it, even if the handler catches it.
            if invocation:
                invocation.refused = invocation.refused or refused
            raise

    def _call(
        self,
        client: Any,
        operation: str,
        parameters: Mapping[str, Any],
        invocation: Invocation | None,
    ) -> Any:
        service: str = client.meta.service_model.service_name
        if invocation:
            function = invocation.function
            refuse(parameters, f"{function.name} calls {service}:{operation} with it")
            self._authorize(function.name, function.statements, service, operation, parameters)
            if answer := self._fault(invocation, service, operation, parameters):
                return answer
        by = invocation.function.name if invocation else THE_TEST
        return self._answer(client, operation, parameters, by)

    def perform(
        self, caller: Caller, client: Any, operation: str, parameters: Mapping[str, Any]
    ) -> Any:
        """Perform a state machine's call, if its role allows it."""
        service: str = client.meta.service_model.service_name
        self._authorize(caller.name, caller.statements, service, operation, parameters)
        return self._answer(client, operation, parameters, caller.name)

    def _answer(self, client: Any, operation: str, parameters: Mapping[str, Any], by: str) -> Any:
        service: str = client.meta.service_model.service_name
        running = self._functions.running
        if (service, operation) == ("events", "PutEvents"):
            return self._put_events(client, parameters, by)
        if service == "s3" and "Bucket" in parameters:
            self._buckets.check_notifications(operation, parameters["Bucket"])
        if service == "s3" and running and "Bucket" in parameters:
            real = partial(self._real, client, operation, parameters)
            return self._buckets.ask(running.function, parameters["Bucket"], real)
        if service == "stepfunctions":
            try:
                return self._state_machines.call(operation, parameters)
            except Refused as refused:
                error = client.exceptions.from_code(refused.code)
                raise error(_error(refused.code, str(refused)), operation) from refused
        if service == "sns" and operation in ("Publish", "PublishBatch"):
            return self._topics.answer(operation, parameters)
        if service == "secretsmanager":
            return self._secrets.answer(client, operation, parameters)
        if self._inventory.knows(service, operation):
            return self._inventory.answer(client, operation, parameters)
        if (service, operation) == ("lambda", "Invoke"):
            return self._invoke(**parameters)
        if (service, operation) == ("sqs", "ChangeMessageVisibilityBatch"):
            name = parameters["QueueUrl"].rpartition("/")[2]
            return change_visibility(name, parameters["Entries"])
        if (service, operation) == ("sqs", "ReceiveMessage"):
            # A long poll would not let virtual time pass.
            parameters = {**parameters, "WaitTimeSeconds": 0}
        answer = self._real(client, operation, parameters)
        if (service, operation) == ("sqs", "GetQueueAttributes"):
            policy = self._inventory.redrive_policy(parameters["QueueUrl"].rpartition("/")[2])
            answer["Attributes"] |= policy
        if service == "sqs" and "QueueUrl" in parameters:
            self._tell_of_sent(operation, parameters, answer, running)
            self._queue_changed(queue_arn_of_url(parameters["QueueUrl"]))
        elif service == "dynamodb":
            for table in _tables(parameters):
                self._source_changed(table)
        elif service == "kinesis" and "StreamName" in parameters:
            self._source_changed(arn_of("AWS::Kinesis::Stream", parameters["StreamName"]))
        return answer

    def _authorize(
        self,
        name: str,
        statements: Sequence[Statement],
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
    ) -> None:
        for call in calls(service, operation, parameters):
            if not allows(statements, call) or self._buckets.denies(call):
                raise _client_error(
                    "AccessDenied" if service == "s3" else "AccessDeniedException",
                    f"{name} is not authorized to perform: {call.action} on resource: "
                    f"{call.resource} {_in_words(call.context)}"
                    "because no identity-based policy allows it",
                    operation,
                )

    def _fault(
        self, invocation: Invocation, service: str, operation: str, parameters: Mapping[str, Any]
    ) -> Any:
        name = invocation.function.short_name
        for fault in self._faults.of(name, invocation.now):
            if answer := fault.call(service, operation, parameters):
                self._faults.met(name, fault)
                self._history.note(
                    invocation.function.name, "was refused", f"{service}:{operation}"
                )
                return answer
        return None

    def _put_events(self, client: Any, parameters: Mapping[str, Any], by: str) -> Any:
        entries = parameters["Entries"]
        size = sum(_size(entry) for entry in entries)
        if size > MAX_REQUEST_BYTES:
            message = f"Total size of the entries in the request is over the limit: {size}"
            raise _client_error("ValidationException", message, "PutEvents")
        answer = self._real(client, "PutEvents", parameters)
        for entry, result in zip(entries, answer["Entries"], strict=True):
            if "EventId" in result:
                self._buses.take(entry, result["EventId"], by)
            else:
                self._history.note(by, "could not publish", json.dumps(result, sort_keys=True))
        return answer

    def _tell_of_sent(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        answer: Mapping[str, Any],
        by: Invocation | None,
    ) -> None:
        queue = parameters["QueueUrl"].rpartition("/")[2]
        if operation == "SendMessage":
            self._history.sent(queue, answer["MessageId"], parameters["MessageBody"])
        elif operation == "SendMessageBatch":
            bodies = {entry["Id"]: entry["MessageBody"] for entry in parameters["Entries"]}
            for sent in answer.get("Successful", []):
                delivery = self._history.sent(queue, sent["MessageId"], bodies[sent["Id"]])
                if by and by.function.relays_to == parameters["QueueUrl"]:
                    self._history.delivered(delivery)


def _in_words(context: Mapping[str, Any]) -> str:
    return "".join(f"({key}: {', '.join(values)}) " for key, values in context.items())


def _size(entry: Mapping[str, Any]) -> int:
    """Return the size of an entry in bytes, as EventBridge counts it."""
    texts = [entry.get("Source", ""), entry.get("DetailType", ""), entry.get("Detail", "")]
    texts += entry.get("Resources", [])
    return sum(len(text.encode()) for text in texts) + (14 if "Time" in entry else 0)


def _tables(parameters: Mapping[str, Any]) -> list[str]:
    """Return the tables that a call may have written to."""
    if "TransactItems" in parameters:
        items = [item for each in parameters["TransactItems"] for item in each.values()]
        return [item["TableName"] for item in items]
    return [parameters["TableName"]] if "TableName" in parameters else list(
        parameters.get("RequestItems", {})
    )  # fmt: skip


def _client_error(code: str, message: str, operation: str) -> ClientError:
    return ClientError(_error(code, message), operation)


def _error(code: str, message: str) -> Any:
    return {"Error": {"Code": code, "Message": message}}
