"""The Tasks of state machines: calls to AWS with the machine's role, and their errors.

Source: "Integrating services with Step Functions" in its guide, for the names, arguments, results
and errors of each integration.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError

from patchbay.testkit.aws.function import Function, Lambda
from patchbay.testkit.aws.iam import Call, Statement, allows
from patchbay.testkit.clock import Clock
from patchbay.testkit.errors import NotInTheKit
from patchbay.testkit.reading.intrinsics import REGION
from patchbay.testkit.templates import Templates

TIMED_OUT = "States.Timeout"
_SDK = re.compile(r"arn:aws:states:::aws-sdk:(\w+):(\w+)")
# The service's name in the AWS SDK for Java, with which an SDK integration's errors begin.
_SDK_PREFIX = {"dynamodb": "DynamoDb"}
_OPTIMIZED_DYNAMODB = ("getItem", "putItem", "updateItem", "deleteItem")


class TaskFailed(Exception):
    """A Task's error, as Retry and Catch see it."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


@dataclass(frozen=True)
class Outcome:
    """The result or the error of a Task, and its time."""

    ended: float  # seconds since the epoch
    result: Any = None
    failed: TaskFailed | None = None


@dataclass(frozen=True)
class Caller:
    """The execution of a state machine that calls AWS."""

    name: str
    arn: str
    execution_arn: str
    statements: tuple[Statement, ...]


Perform = Callable[[Caller, Any, str, Mapping[str, Any]], Any]
"""Perform a boto3 call, `client.operation(**parameters)`, if the caller's role allows it."""


class Tasks:
    """The Tasks of all state machines."""

    def __init__(
        self,
        templates: Templates,
        functions: Lambda,
        perform: Perform,
        clock: Clock,
    ) -> None:
        self._templates = templates
        self._functions = functions
        self._perform = perform
        self._clock = clock

    def run(self, resource: str, arguments: Any, caller: Caller) -> Outcome:
        """Perform a Task's Resource at once. Raise NotInTheKit if the kit does not support it."""
        name = resource.removeprefix("arn:aws:states:::")
        sdk = _SDK.fullmatch(resource)
        try:
            if name == "lambda:invoke":
                return self._invoke(arguments, caller)
            if name == "events:putEvents":
                return self._done(self._put_events(arguments, caller))
            if sdk and sdk[1] in _SDK_PREFIX:
                prefix = _SDK_PREFIX[sdk[1]]
                return self._done(self._call(caller, sdk[1], sdk[2], arguments, prefix))
            service, _, action = name.partition(":")
            if service == "dynamodb" and action in _OPTIMIZED_DYNAMODB:
                return self._done(self._call(caller, service, action, arguments, "DynamoDB"))
        except TaskFailed as failed:
            return Outcome(self._clock.now, failed=failed)
        raise NotInTheKit(
            f"A Task of {caller.name} calls {resource}, which the kit can't simulate: extend "
            "patchbay/testkit/states/tasks.py."
        )

    def _done(self, result: Any) -> Outcome:
        return Outcome(self._clock.now, result)

    def _put_events(self, arguments: Mapping[str, Any], caller: Caller) -> Any:
        # "Create a state machine that sends EventBridge events": a Detail may be JSON, and the
        # execution's ARNs are added to each entry's resources.
        entries = [
            {
                **entry,
                "Detail": _as_text(entry["Detail"]),
                "Resources": [*entry.get("Resources", []), caller.execution_arn, caller.arn],
            }
            for entry in arguments["Entries"]
        ]
        answer = self._call(caller, "events", "putEvents", {"Entries": entries}, "EventBridge")
        if answer["FailedEntryCount"]:
            raise TaskFailed("EventBridge.FailedEntry", json.dumps(answer))
        return answer

    def _call(
        self,
        caller: Caller,
        service: str,
        action: str,
        arguments: Mapping[str, Any],
        prefix: str,
    ) -> Any:
        client = _client(service)
        operation = action[0].upper() + action[1:]
        try:
            answer = self._perform(caller, client, operation, arguments)
        except ClientError as error:
            raise _failure(error, client, operation, prefix) from error
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}

    def _invoke(self, arguments: Mapping[str, Any], caller: Caller) -> Outcome:
        function = self._templates.function(arguments["FunctionName"])
        if not allows(caller.statements, Call("lambda:InvokeFunction", function.arn, {})):
            raise TaskFailed(
                "Lambda.AWSLambdaException",
                f"User: {caller.name} is not authorized to perform: lambda:InvokeFunction on "
                f"resource: {function.arn} because no identity-based policy allows it",
            )
        if self._functions.throttles(function):
            raise TaskFailed("Lambda.TooManyRequestsException", "Rate Exceeded.")
        return self._answer(function, arguments.get("Payload", {}))

    def _answer(self, function: Function, payload: Any) -> Outcome:
        answer = self._functions.invoke(function, payload)
        if answer.error is not None:
            return Outcome(answer.ended, failed=_function_error(answer.error))
        result = {"ExecutedVersion": "$LATEST", "Payload": answer.payload, "StatusCode": 200}
        return Outcome(answer.ended, result)


def _failure(error: ClientError, client: Any, operation: str, prefix: str) -> TaskFailed:
    """Return an error of AWS, by the name of its exception if the operation has one."""
    code = error.response["Error"]["Code"]
    named = {
        shape.name for shape in client.meta.service_model.operation_model(operation).error_shapes
    }
    message = error.response["Error"]["Message"]
    return TaskFailed(f"{prefix}.{code if code in named else f'{prefix}Exception'}", message)


def _function_error(error: str) -> TaskFailed:
    """Return Lambda's error for an invocation that raised, by the type of the exception."""
    if error.startswith("Task timed out"):
        kind, message = "Sandbox.Timedout", error
    elif ": " in error and " " not in error.partition(": ")[0]:
        kind, _, message = error.partition(": ")
    else:
        kind, message = "Runtime.ExitError", error
    return TaskFailed(kind, json.dumps({"errorMessage": message, "errorType": kind}))


def _as_text(detail: Any) -> str:
    return detail if isinstance(detail, str) else json.dumps(detail)


@cache
def _client(service: str) -> Any:
    # Created once, because creating one takes as long as a test.
    return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]
