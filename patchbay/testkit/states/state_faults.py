"""The faults that a test can inject into a Task of a state machine."""

from collections.abc import Callable
from dataclasses import dataclass

from patchbay.testkit.faults import NEVER, Fault
from patchbay.testkit.states.tasks import TIMED_OUT, Outcome, TaskFailed

Run = Callable[[], Outcome]


class StateFault(Fault):
    """A fault of a Task."""

    def run(self, task: Run, now: float) -> Outcome:
        """Return the outcome of the Task; by default, run it."""
        return task()


@dataclass(frozen=True)
class Fails(StateFault):
    """The Task fails at once, without an effect."""

    error: str = "States.TaskFailed"
    cause: str = "by order of the test"

    def run(self, task: Run, now: float) -> Outcome:
        return Outcome(now, failed=TaskFailed(self.error, self.cause))


@dataclass(frozen=True)
class AnswerLost(StateFault):
    """The Task does its work, but its response never arrives."""

    def run(self, task: Run, now: float) -> Outcome:
        task()
        return Outcome(NEVER, failed=TaskFailed(TIMED_OUT, "by order of the test"))


@dataclass(frozen=True)
class Hangs(StateFault):
    """The Task does nothing, and never responds."""

    def run(self, task: Run, now: float) -> Outcome:
        return Outcome(NEVER, failed=TaskFailed(TIMED_OUT, "by order of the test"))
