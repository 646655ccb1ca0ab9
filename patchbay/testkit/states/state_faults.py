"""What a test can have go wrong in a state of a state machine: a fault each."""

from collections.abc import Callable
from dataclasses import dataclass

from patchbay.testkit.faults import NEVER, Fault
from patchbay.testkit.states.tasks import TIMED_OUT, Outcome, TaskFailed

Run = Callable[[], Outcome]


class StateFault(Fault):
    """Something that goes wrong in a Task."""

    def run(self, task: Run, now: float) -> Outcome:
        """What the Task gives, and when; by default as if nothing were wrong."""
        return task()


@dataclass(frozen=True)
class Fails(StateFault):
    """The Task fails at once, and has done nothing."""

    error: str = "States.TaskFailed"
    cause: str = "by order of the test"

    def run(self, task: Run, now: float) -> Outcome:
        return Outcome(now, failed=TaskFailed(self.error, self.cause))


@dataclass(frozen=True)
class AnswerLost(StateFault):
    """The Task does its work, and its answer never arrives."""

    def run(self, task: Run, now: float) -> Outcome:
        task()
        return Outcome(NEVER, failed=TaskFailed(TIMED_OUT, "by order of the test"))


@dataclass(frozen=True)
class Hangs(StateFault):
    """The Task does nothing, and never answers."""

    def run(self, task: Run, now: float) -> Outcome:
        return Outcome(NEVER, failed=TaskFailed(TIMED_OUT, "by order of the test"))
