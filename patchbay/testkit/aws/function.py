"""Lambda functions, and their invocations on virtual time."""

import json
import os
import random
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from aws_lambda_powertools.utilities.typing import LambdaContext

from patchbay.testkit.aws.iam import Statement
from patchbay.testkit.clock import Clock
from patchbay.testkit.errors import NotInTheKit
from patchbay.testkit.faults import Action, Crash, Fault, Faults
from patchbay.testkit.reading.arns import arn_of
from patchbay.testkit.running.code import Code, InitFailed, entered, load
from patchbay.testkit.running.output import LOG
from patchbay.testkit.running.stack_room import with_room
from patchbay.topology.consumers import RELAYS_TO

CONSUMER = "patchbay.messaging.consuming"
CONSUMER_NAME = "CONSUMER"  # the environment variable with a consumer's name
MEMORY = "IDEMPOTENCY_TABLE"  # the environment variable with its idempotency table


@dataclass(frozen=True)
class Function:
    """A function, as its template defines it."""

    name: str
    short_name: str  # without system and stage, as in tests
    stack: str
    asset: Path
    handler: str
    environment: dict[str, str]
    timeout: float  # seconds
    memory: int  # MB
    reserved_concurrency: int | None
    statements: Sequence[Statement]  # of its role's policies
    layers: Sequence[Path] = ()  # folders of its layers
    problem: str | None = None  # why the kit can't run it
    dead_letter_target: str | None = None  # for failed asynchronous invocations

    @property
    def arn(self) -> str:
        return arn_of("AWS::Lambda::Function", self.name)

    @property
    def relays_to(self) -> str | None:
        """The URL of the queue that it sends to, if it is a relay."""
        return self.environment.get(RELAYS_TO)


def code_of(function: Function) -> Code:
    """Load a function's code. Raise InitFailed, or NotInTheKit if the kit can't run it."""
    if function.problem:
        raise NotInTheKit(function.problem)
    return load(function.asset, function.handler, function.environment, function.layers)


@dataclass(frozen=True)
class Answer:
    """The result of an invocation."""

    ended: float  # when, in seconds since the epoch
    payload: Any = None
    error: str | None = None
    log: Sequence[dict[str, Any]] = ()


@dataclass
class Invocation:
    """A running invocation. It has its own time, which runs ahead while the function waits."""

    function: Function
    started: float
    now: float
    log: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    refused: NotInTheKit | None = None
    """The first call that the kit could not simulate. The test must see it."""

    @property
    def deadline(self) -> float:
        return self.started + self.function.timeout


class Lambda:
    """Lambda: it runs one function at a time in real time, and any number in virtual time."""

    def __init__(self, clock: Clock, faults: Faults, seed: int) -> None:
        self._clock = clock
        self._faults = faults
        self._seed = seed
        self._running: list[Invocation] = []
        self._count: dict[str, int] = {}
        self._busy_until: dict[str, list[float]] = {}
        self.logs: dict[str, list[dict[str, Any]]] = {}

    @property
    def running(self) -> Invocation | None:
        """The invocation whose code is running now."""
        return self._running[-1] if self._running else None

    def throttles(self, function: Function) -> bool:
        """Return whether a fault or its reserved concurrency throttles a function now."""
        for fault in self._faults.of(function.short_name, self._clock.now):
            if fault.throttles:
                self._faults.met(function.short_name, fault)
                return True
        if function.reserved_concurrency is None:
            return False
        busy = [end for end in self._busy_until.get(function.name, ()) if end > self._clock.now]
        self._busy_until[function.name] = busy
        return len(busy) >= function.reserved_concurrency

    def invoke(self, function: Function, event: dict[str, Any]) -> Answer:
        """Invoke a function. Its effects happen now, its result is known when it ends."""
        outer = self.running
        began = outer.now if outer else self._clock.now
        invocation = Invocation(function, began, began)
        invocation.faults = self._faults.of(function.short_name, began)
        self._running.append(invocation)
        try:
            payload, error = with_room(partial(self._run, invocation, event))
        finally:
            self._running.pop()
            self._clock_back(outer, began)
        if invocation.refused:
            if outer:
                outer.refused = outer.refused or invocation.refused
            raise invocation.refused
        for line in invocation.log:
            self.logs.setdefault(function.short_name, []).append(line)
        if function.reserved_concurrency is not None:
            self._busy_until.setdefault(function.name, []).append(invocation.now)
        return Answer(invocation.now, payload, error, invocation.log)

    def sleep(self, seconds: float) -> None:
        """Let time pass for the running function, up to its timeout."""
        invocation = self.running
        if invocation is None:
            self._clock.run(until=self._clock.now + seconds)
            return
        self.pass_time_until(invocation, invocation.now + seconds)

    def pass_time_until(self, invocation: Invocation, moment: float) -> None:
        invocation.now = min(moment, invocation.deadline)
        self._travel(invocation.now)
        if moment >= invocation.deadline:
            raise Crash(f"Task timed out after {invocation.function.timeout:.2f} seconds")

    def _run(self, invocation: Invocation, event: dict[str, Any]) -> tuple[Any, str | None]:
        function = invocation.function
        number = self._count[function.name] = self._count.get(function.name, 0) + 1
        with self._own_time(invocation):
            try:
                code = code_of(function)
                chance = _own_chance(f"{self._seed}/{function.name}/{number}")
                with chance, entered(code):
                    payload = self._call(code, event, Context(invocation, number))
                for fault in invocation.faults:
                    payload = fault.answer(payload)
                json.dumps(payload)
            except InitFailed as error:
                return None, str(error)
            except Crash as crash:
                return None, str(crash)
            except NotInTheKit as refused:
                invocation.refused = invocation.refused or refused
                return None, str(refused)
            except Exception as error:  # noqa: BLE001 - any exception is the function's error
                return None, f"{type(error).__name__}: {error}"
        return payload, None

    def _call(self, code: Code, event: dict[str, Any], context: "Context") -> Any:
        consumer: Any = code.modules.get(CONSUMER)
        if consumer is None:
            returned: list[Any] = []
            self._with_faults(lambda: returned.append(code.handler(event, context)))()
            return returned[0] if returned else None
        # A fault affects a single event, not its batch, so it is injected for each event.
        run_for = consumer.run_for
        consumer.run_for = lambda function: partial(self._run_with_faults, run_for(function))
        try:
            return code.handler(event, context)
        finally:
            consumer.run_for = run_for

    def _run_with_faults(self, run: Any, event_id: str, action: Action, context: Any) -> bool:
        first_time: bool = run(event_id, self._with_faults(action), context)
        return first_time

    def _with_faults(self, action: Action) -> Action:
        invocation = self.running
        assert invocation is not None
        name = invocation.function.short_name
        for fault in self._faults.of(name, invocation.now):
            action = partial(self._meet, name, fault, action)
        return action

    def _meet(self, name: str, fault: Fault, action: Action) -> None:
        self._faults.met(name, fault)
        fault.handle(action, self.sleep)

    @contextmanager
    def _own_time(self, invocation: Invocation) -> Iterator[None]:
        # A warning ends no function on AWS, even if pytest makes it an error.
        with warnings.catch_warnings(action="ignore"):
            yield from self._in_its_own_time(invocation)

    def _in_its_own_time(self, invocation: Invocation) -> Iterator[None]:
        originals = time.sleep, time.monotonic, time.perf_counter, sys.stdout
        time.sleep = self.sleep  # type: ignore[assignment]
        time.monotonic = time.perf_counter = self._elapsed
        sys.stdout = LOG
        LOG.lines, outer = invocation.log, LOG.lines
        if originals[3] is not LOG:
            LOG.real = originals[3]
        try:
            yield
        finally:
            LOG.lines = outer
            time.sleep, time.monotonic, time.perf_counter, sys.stdout = originals

    def _elapsed(self) -> float:
        return self.running.now if self.running else self._clock.now

    def _clock_back(self, outer: Invocation | None, began: float) -> None:
        self._travel(outer.now if outer else began)

    def _travel(self, moment: float) -> None:
        self._clock.move_to(moment)


@contextmanager
def _own_chance(seed: str) -> Iterator[None]:
    """Make random values, also uuid4's, the same for the same invocation."""
    state, urandom = random.getstate(), os.urandom
    random.seed(seed)
    os.urandom = random.Random(seed).randbytes
    try:
        yield
    finally:
        os.urandom = urandom
        random.setstate(state)


class Context(LambdaContext):
    """The context object of an invocation."""

    def __init__(self, invocation: Invocation, number: int) -> None:
        function = invocation.function
        self._invocation = invocation
        self._function_name = function.name
        self._function_version = "$LATEST"
        self._invoked_function_arn = function.arn
        self._memory_limit_in_mb = function.memory
        self._aws_request_id = str(UUID(int=number))
        self._log_group_name = f"/aws/lambda/{function.name}"
        self._log_stream_name = "the kit"

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]
        return max(0, round((self._invocation.deadline - self._invocation.now) * 1000))
