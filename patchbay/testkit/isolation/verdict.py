"""The verdict on one run of the matrix: effects on other consumers, and lost events."""

from collections.abc import Iterable, Iterator

from patchbay.testkit.isolation.outcome import Outcome
from patchbay.testkit.view import DeadLetter

NAMED = 2  # events that a sentence names; it counts the rest
PRECISION = 0.001  # seconds, as in a message's attributes


def verdict(
    consumer: str, *, healthy: Outcome, broken: Outcome, mended: Outcome, rejected: int
) -> list[str]:
    """Return a sentence for each violation.

    `healthy` is the outcome without the fault, `broken` with it, and `mended` after it was mended
    and all dead letters were redriven. `rejected` messages are dead letters even then.
    """
    others = [name for name in healthy.work if name != consumer]
    return [
        *broken.lost,
        *_not_kept(consumer, broken),
        *(line for name in healthy.work for line in _not_handled_once(name, healthy, mended)),
        *(line for other in others for line in _affected(other, consumer, healthy, broken, mended)),
        *_left_over(consumer, healthy, mended, rejected),
        *_other_effects(healthy, mended),
        *(line for line in mended.lost if line not in broken.lost),
    ]


def _affected(
    other: str, consumer: str, healthy: Outcome, broken: Outcome, mended: Outcome
) -> Iterator[str]:
    """Yield each effect of the fault on another consumer."""
    work, refused = broken.work[other], healthy.refused(other)
    dead_letters = [
        each for each in (*work.dead, *work.undelivered) if each.event_id not in refused
    ]
    if dead_letters:
        yield (
            f"{other} has {len(dead_letters)} dead letters, though only {consumer} had a fault: "
            f"{_formatted(dead_letters)}"
        )
    if work.waiting:
        yield f"{other} left {work.waiting} messages in its queue while {consumer} had a fault"
    missing = healthy.work[other].due - mended.work[other].due
    if missing:
        yield f"{other} never received {_names(missing, healthy)}"
    yield from _late(other, consumer, healthy, mended)


def _late(other: str, consumer: str, healthy: Outcome, mended: Outcome) -> Iterator[str]:
    downstream = healthy.caused_by(consumer)
    late: list[tuple[float, float, str]] = []
    for event_id in healthy.work[other].due & mended.work[other].due:
        before, after = healthy.latency(other, event_id), mended.latency(other, event_id)
        if before is None or after is None:
            continue
        if event_id not in downstream:
            # The event does not depend on the consumer, so its time of publishing must not change.
            after += mended.events[event_id].at - healthy.events[event_id].at
        if abs(after - before) > PRECISION:
            late.append((after, before, event_id))
    if late:
        after, before, event_id = max(late)
        yield (
            f"{other} handled {len(late)} events at another time, such as "
            f"{_names([event_id], healthy)} {after:.3f} s after it was due, and {before:.3f} s "
            f"when {consumer} had no fault"
        )


def _not_kept(consumer: str, broken: Outcome) -> Iterator[str]:
    work = broken.work[consumer]
    dead_letters = [*work.dead, *work.undelivered]
    kept = {dead_letter.event_id for dead_letter in dead_letters}
    if gone := work.due - set(work.handled) - kept:
        yield f"{consumer} neither handled {_names(gone, broken)} nor kept it as a dead letter"
    for dead_letter in dead_letters:
        if not dead_letter.reason:
            yield (
                f"{consumer} gives no reason for its dead letter {dead_letter.event_type} "
                f"{dead_letter.event_id}"
            )


def _not_handled_once(name: str, healthy: Outcome, mended: Outcome) -> Iterator[str]:
    work = mended.work[name]
    if never := work.due - set(work.handled) - healthy.refused(name):
        yield (
            f"{name} has not handled {len(never)} of the {len(work.due)} events in its queue: "
            f"{_names(never, mended)}"
        )
    for event_id, times in work.handled.items():
        if times > 1:
            yield f"{name} handled {_names([event_id], mended)} {times} times"


def _left_over(consumer: str, healthy: Outcome, mended: Outcome, rejected: int) -> Iterator[str]:
    for name, work in mended.work.items():
        expected = len(healthy.refused(name)) + (rejected if name == consumer else 0)
        dead_letters = [*work.dead, *work.undelivered]
        if len(dead_letters) != expected:
            yield (
                f"after mending and redriving, {name} has {len(dead_letters)} dead letters instead "
                f"of {expected}: {_formatted(dead_letters)}"
            )
        if work.waiting:
            yield f"after mending and redriving, {work.waiting} messages are waiting for {name}"


def _other_effects(healthy: Outcome, mended: Outcome) -> Iterator[str]:
    for effect, wanted in healthy.effects.items():
        if (found := mended.effects.get(effect)) != wanted:
            yield f"{effect}: {found}, but without the fault {wanted}"
    yield from mended.broken
    for to, subject in sorted(healthy.mails - mended.mails):
        yield f"the mail {subject!r} to {to} was never sent"


def _formatted(dead_letters: Iterable[DeadLetter]) -> str:
    found = [
        f"{dead_letter.event_type} {dead_letter.event_id} ({dead_letter.reason})"
        for dead_letter in dead_letters
    ]
    return _listed(found) or "none"


def _names(event_ids: Iterable[str], outcome: Outcome) -> str:
    return _listed([f"{outcome.events[each].type} {each}" for each in sorted(event_ids)])


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
