"""Random schedules of users' actions, faults, waits and redrives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from patchbay.testkit.faults import (
    Crash,
    CrashesAfterEffect,
    Duplicated,
    DynamoDBThrottled,
    Fault,
    Raises,
    RefusesEntries,
    Reordered,
    ReturnsGarbage,
    Slow,
    Throttled,
    TimesOut,
    Undeliverable,
)


@dataclass(frozen=True)
class CrashesBefore(Fault):
    """The process crashes just before a call to AWS. Earlier effects remain."""

    operation: str

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        if operation == self.operation:
            raise Crash(f"the process crashed before {operation}")


FAULTS: Mapping[str, Fault] = {
    "raises": Raises(ConnectionError),
    "takes 7 s longer": Slow(7),
    "times out": TimesOut(),
    "is throttled": Throttled(),
    "crashes after its work": CrashesAfterEffect(),
    "crashes before it publishes": CrashesBefore("PutEvents"),
    "crashes before it mails": CrashesBefore("SendEmail"),
    "crashes before it remembers": CrashesBefore("UpdateItem"),
    "returns garbage": ReturnsGarbage(),
    "gets events twice": Duplicated(),
    "gets events in disorder": Reordered(),
    "can't be delivered to": Undeliverable(),
    "can't publish": RefusesEntries(),
    "is throttled by DynamoDB": DynamoDBThrottled(),
}


@dataclass(frozen=True)
class Break:
    """A fault of a function, limited in its number of times and its duration."""

    function: str
    fault: str
    times: int
    minutes: int


@dataclass(frozen=True)
class Wait:
    """A time in which the clock moves."""

    seconds: int


@dataclass(frozen=True)
class Redrive:
    """A redrive of all dead letters, at any time."""


@dataclass(frozen=True)
class Replay:
    """A repeated publication of all published events, with the same ids."""


Action = Callable[[Any], object]
"""An action of a user or another system on a cloud."""
Step = Break | Wait | Redrive | Replay | Action


def schedules(
    actions: Sequence[Action], functions: Sequence[str], faults: Sequence[str] = tuple(FAULTS)
) -> st.SearchStrategy[list[Step]]:
    """Return the strategy for schedules of these actions, in which these functions fail."""
    acts = st.sampled_from(list(actions))
    breaks = st.builds(
        Break,
        st.sampled_from(list(functions)),
        st.sampled_from(sorted(faults)),
        times=st.integers(1, 4),
        minutes=st.sampled_from((1, 10, 60)),
    )
    waits = st.builds(Wait, st.sampled_from((1, 30, 400, 3600)))
    again = st.builds(Redrive) | st.builds(Replay)
    before = st.lists(breaks | waits, max_size=3)
    after = st.lists(breaks | waits | acts | again, max_size=3)
    return st.tuples(before, acts, after).map(lambda parts: [*parts[0], parts[1], *parts[2]])
