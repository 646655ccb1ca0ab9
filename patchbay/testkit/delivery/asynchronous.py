"""Lambda's asynchronous invocations: its retries, destinations and dead-delivery queues.

"How Lambda handles errors and retries with asynchronous invocation" in its guide.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from patchbay.testkit.aws.function import Answer, Function, Lambda
from patchbay.testkit.aws.iam import Call, allows
from patchbay.testkit.aws.queue import Queue
from patchbay.testkit.clock import Clock
from patchbay.testkit.errors import NotDeployable, NotInTheKit
from patchbay.testkit.history import Delivery, History
from patchbay.testkit.templates import ASYNC_INVOKE, Templates

RETRY_AFTER = (60.0, 120.0)  # seconds between the attempts, as Lambda documents
THROTTLED_RETRY = 1.0  # seconds, doubling up to five minutes, as Lambda documents
LONGEST_RETRY = 300.0


@dataclass(frozen=True)
class Options:
    """The settings in the templates for a function's asynchronous invocations."""

    attempts: int = 3
    max_age: float = 6 * 60 * 60.0  # seconds after which Lambda gives up an event
    on_failure: Queue | None = None
    dead_letters: Queue | None = None  # of the function itself
    on_success: Queue | None = None
    refused: tuple[str, ...] = ()
    """Messages about failure destinations that the kit does not simulate."""
    refused_success: str | None = None

    @property
    def failures(self) -> list[Queue]:
        """The queues that receive failed events."""
        return [queue for queue in (self.dead_letters, self.on_failure) if queue]


@dataclass
class _Run:
    """An event that a function is invoked with, and its attempts."""

    function: Function
    text: str
    name: str  # in the history
    since: float
    delivery: Delivery | None
    attempt: int = 1
    wait: float = THROTTLED_RETRY


class Asynchronous:
    """The asynchronous invocations of all functions: their senders wait for no response."""

    def __init__(
        self,
        clock: Clock,
        functions: Lambda,
        history: History,
        options: Callable[[Function], Options],
        wake: Callable[[Queue], None],
    ) -> None:
        self._clock = clock
        self._functions = functions
        self._history = history
        self._options = options
        self._wake = wake

    def take(
        self, function: Function, text: str, *, name: str = "", delivery: Delivery | None = None
    ) -> None:
        """Accept an event, and invoke the function with it until it succeeds or is given up."""
        self._run(_Run(function, text, name or function.name, self._clock.now, delivery))

    def _run(self, run: _Run) -> None:
        options = self._options(run.function)
        if self._functions.throttles(run.function):
            if self._clock.now + run.wait <= run.since + options.max_age:
                wait, run.wait = run.wait, min(2 * run.wait, LONGEST_RETRY)
                self._clock.at(self._clock.now + wait, lambda: self._run(run))
            else:
                self._give_up(run, options, "EventAgeExceeded", Answer(run.since))
            return
        answer = self._functions.invoke(run.function, json.loads(run.text))
        if answer.error is None:
            self._history.note(run.name, "ran")
            if run.delivery:
                self._history.handled(run.delivery)
            self._succeed(run, options, answer)
            return
        self._history.note(run.name, "failed", answer.error)
        if run.delivery:
            self._history.failed(run.delivery, answer.error)
        late = answer.ended - self._clock.now
        if run.attempt < options.attempts:
            after = late + RETRY_AFTER[run.attempt - 1]
            run.attempt, run.wait = run.attempt + 1, THROTTLED_RETRY
            self._clock.at(self._clock.now + after, lambda: self._run(run))
        else:
            self._give_up(run, options, "RetriesExhausted", answer)

    def _succeed(self, run: _Run, options: Options, answer: Answer) -> None:
        if options.refused_success:
            raise NotInTheKit(options.refused_success)
        if options.on_success:
            record = self._record(run, "Success") | {
                "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
                "responsePayload": answer.payload,
            }
            self._send(options.on_success, json.dumps(record), {})

    def _give_up(self, run: _Run, options: Options, condition: str, answer: Answer) -> None:
        for refused in options.refused:
            raise NotInTheKit(refused)
        if not options.failures:
            why = answer.error or condition
            if run.delivery:
                self._history.lost_for(run.delivery, why)
            else:
                self._history.dropped(run.name, "a run", run.text, why)
            return
        if run.delivery:
            self._history.given_up(run.delivery)
        if options.dead_letters:
            attributes = {"ErrorCode": "200", "ErrorMessage": answer.error or condition}
            self._send(options.dead_letters, run.text, attributes)
        if options.on_failure:
            record = self._record(run, condition) | {
                "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
                "responsePayload": {"errorMessage": answer.error},
            }
            self._send(options.on_failure, json.dumps(record), {})

    def _record(self, run: _Run, condition: str) -> dict[str, Any]:
        return {
            "version": "1.0",
            "requestContext": {
                "functionArn": f"{run.function.arn}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": run.attempt,
            },
            "requestPayload": json.loads(run.text),
        }

    def _send(self, queue: Queue, body: str, attributes: dict[str, str]) -> None:
        self._history.sent(queue.name, queue.send(body, attributes=attributes), body)
        self._wake(queue)


def options_of(
    templates: Templates, function: Function, queue_of: Callable[[str, str], Queue]
) -> Options:
    """Read a function's asynchronous settings. Raise NotDeployable for those Lambda refuses."""
    config: dict[str, Any] = {}
    for each in templates.all(ASYNC_INVOKE):
        if templates.function(each.properties["FunctionName"]) == function:
            config = dict(each.properties)
    destinations = config.get("DestinationConfig", {})
    failed = destinations.get("OnFailure", {}).get("Destination")
    success = destinations.get("OnSuccess", {}).get("Destination")
    dead = function.dead_letter_target
    refused = [
        f"{function.name} failed after all retries, and its failure destination is {arn}, which "
        "the test kit does not simulate: it simulates queues only."
        for arn in (failed, dead)
        if arn and ":sqs:" not in arn
    ]

    def queue(arn: str | None) -> Queue | None:
        if not arn or ":sqs:" not in arn:
            return None
        if not allows(function.statements, Call("sqs:SendMessage", arn, {})):
            raise NotDeployable(f"The role of {function.name} may not send to {arn}.")
        return queue_of(arn, f"The function {function.name}")

    return Options(
        attempts=1 + int(config.get("MaximumRetryAttempts", 2)),
        max_age=float(config.get("MaximumEventAgeInSeconds", 6 * 60 * 60)),
        on_failure=queue(failed),
        dead_letters=queue(dead),
        on_success=queue(success),
        refused=tuple(refused),
        refused_success=(
            f"{function.name} succeeded, and its success destination is {success}, which the test "
            "kit does not simulate: it simulates queues only."
            if success and ":sqs:" not in success
            else None
        ),
    )
