"""Whether one consumer's trouble was its own: what the others noticed, and what was lost."""

from collections.abc import Iterable, Iterator

from patchbay.testkit.isolation.outcome import Outcome
from patchbay.testkit.view import DeadLetter

NAMED = 2  # events that a sentence names, before it only counts
PRECISION = 0.001  # seconds: that of the times in a message's attributes


def verdict(
    consumer: str, *, healthy: Outcome, broken: Outcome, mended: Outcome, rejected: int
) -> list[str]:
    """All that is not as it should be, a sentence each.

    `healthy` is the same run without the trouble; `broken` is when nothing more happened as long
    as it lasted; `mended` is when it was over, and what had failed had been put back. `rejected`
    messages are dead letters even then.
    """
    others = [name for name in healthy.work if name != consumer]
    return [
        *broken.lost,
        *_not_kept(consumer, broken),
        *(line for name in healthy.work for line in _not_handled_once(name, healthy, mended)),
        *(line for other in others for line in _noticed(other, consumer, healthy, broken, mended)),
        *_left_over(consumer, healthy, mended, rejected),
        *_other_effects(healthy, mended),
        *(line for line in mended.lost if line not in broken.lost),
    ]


def _noticed(
    other: str, consumer: str, healthy: Outcome, broken: Outcome, mended: Outcome
) -> Iterator[str]:
    """How the other consumer fared differently while this one was in trouble."""
    work, refused = broken.work[other], healthy.refused(other)
    letters = [each for each in (*work.dead, *work.undelivered) if each.event_id not in refused]
    if letters:
        yield (
            f"{other} has {len(letters)} dead letters, though only {consumer} was in trouble: "
            f"{_letters(letters)}"
        )
    if work.waiting:
        yield f"{other} left {work.waiting} messages in its queue while {consumer} was in trouble"
    missing = healthy.work[other].due - mended.work[other].due
    if missing:
        yield f"{other} was never given {_names(missing, healthy)}"
    yield from _late(other, consumer, healthy, mended)


def _late(other: str, consumer: str, healthy: Outcome, mended: Outcome) -> Iterator[str]:
    downstream = healthy.caused_by(consumer)
    late: list[tuple[float, float, str]] = []
    for event_id in healthy.work[other].due & mended.work[other].due:
        before, after = healthy.latency(other, event_id), mended.latency(other, event_id)
        if before is None or after is None:
            continue
        if event_id not in downstream:
            # Nothing of it depends on the consumer: not even when it is published may differ.
            after += mended.events[event_id].at - healthy.events[event_id].at
        if abs(after - before) > PRECISION:
            late.append((after, before, event_id))
    if late:
        after, before, event_id = max(late)
        yield (
            f"{other} handled {len(late)} events at another time, such as "
            f"{_names([event_id], healthy)} {after:.3f} s after it was due, and {before:.3f} s "
            f"when {consumer} was well"
        )


def _not_kept(consumer: str, broken: Outcome) -> Iterator[str]:
    work = broken.work[consumer]
    letters = [*work.dead, *work.undelivered]
    kept = {letter.event_id for letter in letters}
    if gone := work.due - set(work.handled) - kept:
        yield f"{consumer} neither handled {_names(gone, broken)} nor kept it as a dead letter"
    for letter in letters:
        if not letter.reason:
            yield f"{consumer} does not say why {letter.event_type} {letter.event_id} failed"


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
        letters = [*work.dead, *work.undelivered]
        if len(letters) != expected:
            yield (
                f"after mending and redriving, {name} has {len(letters)} dead letters, and not "
                f"{expected}: {_letters(letters)}"
            )
        if work.waiting:
            yield f"after mending and redriving, {work.waiting} messages wait for {name}"


def _other_effects(healthy: Outcome, mended: Outcome) -> Iterator[str]:
    for effect, wanted in healthy.effects.items():
        if (found := mended.effects.get(effect)) != wanted:
            yield f"{effect}: {found}, and without the trouble {wanted}"
    yield from mended.broken
    for to, subject in sorted(healthy.mails - mended.mails):
        yield f"the mail {subject!r} to {to} was never sent"


def _letters(letters: Iterable[DeadLetter]) -> str:
    found = [f"{letter.event_type} {letter.event_id} ({letter.reason})" for letter in letters]
    return _listed(found) or "none"


def _names(event_ids: Iterable[str], outcome: Outcome) -> str:
    return _listed([f"{outcome.events[each].type} {each}" for each in sorted(event_ids)])


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
