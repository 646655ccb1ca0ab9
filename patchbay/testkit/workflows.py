"""The actions and queries of a test on the state machines of its cloud."""

from datetime import timedelta
from typing import Any

import boto3

from patchbay.testkit.faults import Fault
from patchbay.testkit.reading.intrinsics import REGION
from patchbay.testkit.states.execution import FAILED_STATUSES, Execution, StateMachine
from patchbay.testkit.states.state_faults import Fails, StateFault
from patchbay.testkit.states.state_machine import key_of
from patchbay.testkit.system import System

NO_END = float("inf")


class Workflows:
    """The state machines of a cloud, by their names without system and stage."""

    _system: System

    def executions(self, workflow: str) -> list[Execution]:
        """Return the executions of a state machine, in the order of their starts."""
        machine = self._machine(workflow)
        return [each for each in self._system.state_machines.executions if each.machine is machine]

    def break_state(
        self,
        workflow: str,
        state: str,
        *,
        with_: StateFault | str,
        lasting: timedelta | None = None,
        times: float = NO_END,
    ) -> None:
        """Inject a fault into a Task: a `StateFault`, or an error by its name."""
        fault: Fault = Fails(with_) if isinstance(with_, str) else with_
        since = self._system.clock.now
        until = since + (lasting.total_seconds() if lasting is not None else NO_END)
        key = self._key(workflow, state)
        self._system.faults.add(key, fault, since=since, until=until, times=times)

    def mend_state(self, workflow: str, state: str) -> None:
        """End all faults of a state."""
        self._system.faults.remove(self._key(workflow, state))

    def redrive_executions(self, workflow: str) -> int:
        """Redrive all failed executions from where they stopped, and return their number."""
        ended = [each for each in self.executions(workflow) if each.status in FAILED_STATUSES]
        states: Any = boto3.client("stepfunctions", region_name=REGION)
        for execution in ended:
            states.redrive_execution(executionArn=execution.arn)
        return len(ended)

    def _machine(self, workflow: str) -> StateMachine:
        machines = self._system.state_machines.machines
        for machine in machines:
            if machine.short_name == workflow:
                return machine
        names = sorted(each.short_name for each in machines)
        raise LookupError(f"There is no state machine {workflow!r}: there are {names}.")

    def _key(self, workflow: str, state: str) -> str:
        states = self._machine(workflow).definition["States"]
        tasks = sorted(name for name, each in states.items() if each["Type"] == "Task")
        if state not in tasks:
            raise LookupError(f"{workflow} has no Task {state!r}: it has {tasks}.")
        return key_of(workflow, state)
