"""The player of a schedule: it ends all faults, redrives, and checks for exactly one effect."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from patchbay.testkit.cloud import Cloud
from patchbay.testkit.exactly_once.schedule import FAULTS, Break, Redrive, Replay, Step, Wait
from patchbay.testkit.invariants import Invariants
from patchbay.testkit.subscriptions import due_to
from patchbay.testkit.templates import Templates

ROUNDS = 5  # of redriving: all faults end before the first


def play(templates: Templates, invariants: Invariants[Any], schedule: Sequence[Step]) -> None:
    """Play a schedule on a fresh cloud. Raise AssertionError for the first violation."""
    cloud: Cloud
    with invariants.cloud_type(templates) as cloud:
        invariants.prepare(cloud)
        for step in schedule:
            take(cloud, step)
        cloud.settle()
        for step in schedule:
            if isinstance(step, Break):
                cloud.mend(step.function)
        _redrive_until_none_is_dead(cloud)
        for violation in _broken(cloud, templates, invariants):
            raise AssertionError(f"{violation}\n{cloud.history()}")


def take(cloud: Cloud, step: Step) -> None:
    """Perform one step of a schedule."""
    match step:
        case Break(function, fault, times, minutes):
            lasting = timedelta(minutes=minutes)
            cloud.break_(function, with_=FAULTS[fault], times=times, lasting=lasting)
        case Wait(seconds):
            cloud.advance(seconds=seconds)
        case Redrive():
            _redrive(cloud)
        case Replay():
            for event in cloud.published():
                cloud.put(event.source, event.type, event.detail)
        case action:
            action(cloud)


def _redrive(cloud: Cloud) -> int:
    return sum(cloud.redrive(consumer) for consumer in cloud.consumers)


def _redrive_until_none_is_dead(cloud: Cloud) -> None:
    for _ in range(ROUNDS):
        cloud.settle()
        if not _redrive(cloud):
            return
    raise AssertionError(f"there are dead letters after {ROUNDS} redrives:\n{cloud.history()}")


def _broken(cloud: Cloud, templates: Templates, invariants: Invariants[Any]) -> Iterator[str]:
    """Yield each violation of the project's invariants, and of those of every system."""
    yield from invariants.broken(cloud)
    yield from cloud.lost
    for consumer in cloud.consumers:
        handled, due = set(cloud.handled(consumer)), due_to(cloud, templates, consumer)
        if missing := due - handled:
            yield f"{consumer} has not handled {sorted(missing)}"
        if foreign := handled - due:
            yield f"{consumer} has handled {sorted(foreign)}, which it does not subscribe to"
        if waiting := cloud.waiting(consumer):
            yield f"{waiting} messages are waiting for {consumer}"
