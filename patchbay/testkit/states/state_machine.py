"""Step Functions: runs executions of standard state machines, on virtual time.

Sources: the "Amazon States Language", and "Handling errors in Step Functions workflows", "Passing
data between states with variables" and "Redriving executions" in its guide.
"""

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from patchbay.testkit.clock import Action, Clock
from patchbay.testkit.errors import NotInTheKit
from patchbay.testkit.faults import Faults
from patchbay.testkit.history import History
from patchbay.testkit.states.execution import FAILED_STATUSES, Execution, State, StateMachine
from patchbay.testkit.states.expressions import EvaluationFailed, Evaluator
from patchbay.testkit.states.state_faults import StateFault
from patchbay.testkit.states.tasks import TIMED_OUT, Caller, Outcome, TaskFailed, Tasks

MAX_DATA_BYTES = 256 * 1024  # Step Functions' limit for an input and for a state's output
NOT_IN_ALL = {"States.DataLimitExceeded", "States.Runtime"}  # States.ALL does not match these


class Refused(Exception):
    """An error response of Step Functions, with its code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class _Visit:
    """An execution in one of its states."""

    execution: Execution
    name: str
    input: Any
    entered: float
    retries: dict[int, int] = field(default_factory=dict)
    """The number of retries by each retrier, by its position."""

    @property
    def state(self) -> State:
        return self.execution.machine.state(self.name)


class StateMachines:
    """All state machines, and their executions."""

    def __init__(
        self,
        clock: Clock,
        faults: Faults,
        history: History,
        tasks: Tasks,
        machines: Iterable[StateMachine],
        seed: int,
    ) -> None:
        self._clock = clock
        self._faults = faults
        self._history = history
        self._tasks = tasks
        self._seed = seed
        self._last: dict[str, _Visit] = {}
        self._chances: dict[str, random.Random] = {}
        self.machines = list(machines)
        self.executions: list[Execution] = []

    def call(self, operation: str, parameters: Mapping[str, Any]) -> Any:
        """Answer a client's call. Raise Refused, or NotInTheKit for another operation."""
        match operation:
            case "StartExecution":
                return self._start(parameters)
            case "RedriveExecution":
                return self._redrive(parameters["executionArn"])
            case "DescribeExecution":
                return self._describe(parameters["executionArn"])
        raise NotInTheKit(f"Something calls states:{operation}, which the kit can't answer.")

    def _start(self, parameters: Mapping[str, Any]) -> Any:
        machine = self._machine(parameters["stateMachineArn"])
        name = parameters.get("name") or f"unnamed-{len(self.executions)}"
        text = parameters.get("input", "{}")
        if len(text.encode()) > MAX_DATA_BYTES:
            raise Refused("InvalidExecutionInput", f"The input is over {MAX_DATA_BYTES} bytes.")
        existing = self._named(machine, name)
        if existing is None:
            existing = Execution(machine, name, json.loads(text), self._clock.now)
            self.executions.append(existing)
            self._history.note(machine.name, "started", name)
            self._history.executions.append(existing)
            start = machine.definition["StartAt"]
            self._then(
                existing, self._clock.now, lambda: self._enter(existing, start, existing.input)
            )
        elif existing.status != "RUNNING" or existing.input != json.loads(text):
            # A running execution with the same input gets the response of a new one.
            raise Refused("ExecutionAlreadyExists", f"Execution Already Exists: '{existing.arn}'")
        return {"executionArn": existing.arn, "startDate": _date(existing.started)}

    def _describe(self, execution_arn: str) -> Any:
        for each in self.executions:
            if each.arn == execution_arn:
                described: dict[str, Any] = {"executionArn": each.arn, "status": each.status}
                described |= {
                    "error": each.error,
                    "cause": each.cause,
                    "startDate": _date(each.started),
                }
                described |= {"stopDate": None if each.ended is None else _date(each.ended)}
                return {name: value for name, value in described.items() if value is not None}
        raise Refused("ExecutionDoesNotExist", f"Execution Does Not Exist: '{execution_arn}'")

    def _redrive(self, execution_arn: str) -> Any:
        """Redrive a failed execution from the state in which it stopped."""
        execution = next(each for each in self.executions if each.arn == execution_arn)
        if execution.status not in FAILED_STATUSES:
            raise Refused("ExecutionNotRedrivable", f"The execution is {execution.status}.")
        execution.status, execution.started = "RUNNING", self._clock.now
        execution.error = execution.cause = execution.ended = None
        self._history.note(execution.machine.name, "redriven", execution.name)
        stopped = self._last[execution.arn]
        again = partial(self._enter, execution, stopped.name, stopped.input)
        self._then(execution, self._clock.now, again)
        return {"redriveDate": _date(self._clock.now)}

    def _machine(self, machine_arn: str) -> StateMachine:
        for machine in self.machines:
            if machine.arn == machine_arn:
                if machine.refused:
                    raise NotInTheKit(machine.refused)
                return machine
        raise Refused("StateMachineDoesNotExist", f"There is no state machine {machine_arn}.")

    def _named(self, machine: StateMachine, name: str) -> Execution | None:
        of_machine = (each for each in self.executions if each.machine is machine)
        return next((each for each in of_machine if each.name == name), None)

    def _enter(self, execution: Execution, name: str, input: Any) -> None:
        visit = _Visit(execution, name, input, self._clock.now)
        self._last[execution.arn] = visit
        execution.history.append(("entered", name))
        self._history.note(execution.machine.name, "entered", name, execution.name)
        if visit.state["Type"] == "Task":
            self._attempt(visit)
            return
        try:
            self._pass_through(visit)
        except EvaluationFailed as error:
            self._end(execution, "FAILED", error="States.QueryEvaluationError", cause=str(error))

    def _pass_through(self, visit: _Visit) -> None:
        """Run a state other than a Task. Nothing catches its errors. Raise EvaluationFailed."""
        state, execution = visit.state, visit.execution
        match state["Type"]:
            case "Pass":
                self._leave(visit, state)
            case "Wait":
                self._leave(visit, state, at=self._until(visit))
            case "Choice":
                self._leave(visit, self._choice(visit))
            case "Succeed":
                output = self._evaluate(visit, state.get("Output", visit.input))
                self._end(execution, "SUCCEEDED", output=output)
            case "Fail":
                error, cause = (self._evaluate(visit, state.get(k)) for k in ("Error", "Cause"))
                self._end(execution, "FAILED", error=error, cause=cause)

    def _until(self, visit: _Visit) -> float:
        if "Timestamp" in visit.state:
            moment = self._evaluate(visit, visit.state["Timestamp"])
            return datetime.fromisoformat(moment).timestamp()
        return self._clock.now + float(self._evaluate(visit, visit.state["Seconds"]))

    def _choice(self, visit: _Visit) -> State:
        for rule in visit.state["Choices"]:
            holds = self._evaluate(visit, rule["Condition"])
            if not isinstance(holds, bool):
                raise EvaluationFailed(f"{rule['Condition']} returned {holds!r}, not a boolean.")
            if holds:
                found: State = rule
                return found
        if "Default" not in visit.state:
            raise EvaluationFailed(f"No choice of {visit.name} matches, and it has no default.")
        return {**visit.state, "Next": visit.state["Default"]}

    def _attempt(self, visit: _Visit) -> None:
        """Run a Task once. Its effects happen now, its outcome is known when it ends."""
        limit = self._clock.now + float(visit.state.get("TimeoutSeconds", "inf"))
        try:
            outcome = self._run(visit)
        except EvaluationFailed as error:
            failed = TaskFailed("States.QueryEvaluationError", str(error))
            outcome = Outcome(self._clock.now, failed=failed)
        if outcome.ended > limit:
            why = f"it took longer than {visit.state['TimeoutSeconds']} s"
            outcome = Outcome(limit, failed=TaskFailed(TIMED_OUT, why))
        self._then(visit.execution, outcome.ended, lambda: self._finish(visit, outcome))

    def _run(self, visit: _Visit) -> Outcome:
        machine = visit.execution.machine
        caller = Caller(machine.name, machine.arn, visit.execution.arn, machine.statements)
        arguments = self._evaluate(visit, visit.state.get("Arguments", visit.input))

        def task() -> Outcome:
            return self._tasks.run(visit.state["Resource"], arguments, caller)

        key = key_of(machine.short_name, visit.name)
        for fault in self._faults.of(key, self._clock.now):
            if isinstance(fault, StateFault):
                self._faults.met(key, fault)
                return fault.run(task, self._clock.now)
        return task()

    def _finish(self, visit: _Visit, outcome: Outcome) -> None:
        if outcome.failed is None:
            try:
                self._leave(visit, visit.state, result=outcome.result)
            except EvaluationFailed as error:
                self._fail(visit, TaskFailed("States.QueryEvaluationError", str(error)))
            return
        self._fail(visit, outcome.failed)

    def _fail(self, visit: _Visit, failed: TaskFailed) -> None:
        """Retry a Task, or go to its catcher's state, or end the execution."""
        execution = visit.execution
        execution.history.append((failed.error, visit.name))
        self._history.note(
            execution.machine.name, "failed", visit.name, execution.name, str(failed)
        )
        wait = self._wait(visit, failed.error)
        if wait is not None:
            self._then(execution, self._clock.now + wait, lambda: self._attempt(visit))
            return
        catcher = _matching(visit.state.get("Catch", []), failed.error)
        if catcher is None:
            self._end(execution, "FAILED", error=failed.error, cause=failed.cause)
            return
        error_output = {"Error": failed.error, "Cause": failed.cause}
        try:
            self._leave(visit, catcher[1], error_output=error_output)
        except EvaluationFailed as error:
            self._end(execution, "FAILED", error="States.QueryEvaluationError", cause=str(error))

    def _wait(self, visit: _Visit, error: str) -> float | None:
        """Return the seconds until the next attempt; None if there is none."""
        found = _matching(visit.state.get("Retry", []), error)
        if found is None:
            return None
        position, retrier = found
        used = visit.retries.get(position, 0)
        if used >= retrier.get("MaxAttempts", 3):
            return None
        visit.retries[position] = used + 1
        rate = float(retrier.get("BackoffRate", 2))
        wait: float = retrier.get("IntervalSeconds", 1) * rate**used
        wait = min(wait, float(retrier.get("MaxDelaySeconds", "inf")))
        if retrier.get("JitterStrategy", "NONE") == "FULL":
            wait *= self._chance(visit.execution).random()
        return wait

    def _leave(self, visit: _Visit, by: State, *, at: float | None = None, **known: Any) -> None:
        """Go to the next state of `by`: the state itself, a choice's rule, or a catcher."""
        execution = visit.execution
        default = known.get("result", known.get("error_output", visit.input))
        output = self._evaluate(visit, by["Output"], **known) if "Output" in by else default
        assigned = self._evaluate(visit, by.get("Assign", {}), **known)
        if len(json.dumps(output).encode()) > MAX_DATA_BYTES:
            why = f"The output of state {visit.name} has more than {MAX_DATA_BYTES} bytes."
            self._end(execution, "FAILED", error="States.DataLimitExceeded", cause=why)
            return
        execution.variables |= assigned
        moment = self._clock.now if at is None else at

        def go_on() -> None:
            if by.get("End"):
                self._end(execution, "SUCCEEDED", output=output)
            else:
                self._enter(execution, by["Next"], output)

        self._then(execution, moment, go_on)

    def _then(self, execution: Execution, moment: float, action: Action) -> None:
        """Schedule an action of an execution, or its timeout if that comes first."""
        if moment >= execution.deadline:
            self._clock.at(execution.deadline, lambda: self._end(execution, "TIMED_OUT"))
        else:
            self._clock.at(moment, action)

    def _end(
        self,
        execution: Execution,
        status: str,
        *,
        output: Any = None,
        error: str | None = None,
        cause: str | None = None,
    ) -> None:
        execution.status, execution.ended = status, self._clock.now
        execution.output, execution.error, execution.cause = output, error, cause
        self._history.note(execution.machine.name, status, execution.name, error or "", cause or "")

    def _evaluate(self, visit: _Visit, value: Any, **known: Any) -> Any:
        """Return the value with its expressions evaluated in a state's context."""
        execution = visit.execution
        states = {
            "input": visit.input,
            "context": {
                "Execution": {
                    "Id": execution.arn,
                    "Input": execution.input,
                    "Name": execution.name,
                    "StartTime": _text(execution.started),
                },
                "State": {
                    "Name": visit.name,
                    "EnteredTime": _text(visit.entered),
                    "RetryCount": sum(visit.retries.values()),
                },
                "StateMachine": {"Id": execution.machine.arn, "Name": execution.machine.name},
            },
        }
        if "result" in known:
            states["result"] = known["result"]
        if "error_output" in known:
            states["errorOutput"] = known["error_output"]
        evaluator = Evaluator(self._chance(execution), self._clock)
        return evaluator.evaluate(value, states, execution.variables)

    def _chance(self, execution: Execution) -> random.Random:
        """Return an execution's own random generator, independent of others."""
        seed = f"{self._seed}/{execution.arn}"
        return self._chances.setdefault(execution.arn, random.Random(seed))


def key_of(machine: str, state: str) -> str:
    """Return the key of a state's faults."""
    return f"{machine}/{state}"


def _matching(rules: list[State], error: str) -> tuple[int, State] | None:
    """Return the first retrier or catcher for an error. Only this one counts, even if used up."""
    for position, rule in enumerate(rules):
        for name in rule["ErrorEquals"]:
            if (
                name == error
                or (name == "States.ALL" and error not in NOT_IN_ALL)
                or (name == "States.TaskFailed" and error not in {TIMED_OUT, *NOT_IN_ALL})
            ):
                return position, rule
    return None


def _date(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


def _text(moment: float) -> str:
    return _date(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")
