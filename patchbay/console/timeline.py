"""The time line of a journey: a row for each event, with a bar for each delivery."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from patchbay.console.time_scale import Mark, TimeScale
from patchbay.operations.escape import escape, escape_lines, format_json
from patchbay.operations.formatting import cut, duration
from patchbay.operations.journeys.deliveries import Delivery, Failure
from patchbay.operations.journeys.executions import Execution
from patchbay.operations.journeys.journal import Entry
from patchbay.operations.journeys.journey import Step

MAX_JSON = 8000  # characters of an event that are shown
FAILURES = 20  # failed attempts of a delivery, the newest, that are shown
REASON = 400  # characters
INDENTS = 6  # levels, at most
THINNEST = 0.4  # percent of the width, so that a bar is always visible

Kind = Literal["well", "behind", "failing", "paused"]


@dataclass(frozen=True)
class Bar:
    """A delivery of an event to a consumer."""

    consumer: str
    kind: Kind
    outcome: str
    x: float
    """Percent of the width, as all coordinates here."""
    width: float
    is_open: bool
    """The event is not handled yet, and not a dead letter."""
    ends_dead: bool
    """The event is a dead letter, or was never delivered."""
    ticks: tuple[float, ...] = ()
    failures: tuple[str, ...] = ()
    more_failures: int = 0
    workflow: str | None = None

    @property
    def end(self) -> float:
        """Return the place where it ends."""
        return round(self.x + self.width, 2)


@dataclass(frozen=True)
class Row:
    """An event with its deliveries."""

    id: str
    type: str
    source: str
    at: str
    after_cause: str
    """The time since the event that caused it."""
    x: float
    indent: int
    json: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class TimeLine:
    """A journey, ready to be drawn."""

    id: str
    began: str
    took: str
    marks: list[Mark]
    rows: list[Row] = field(default_factory=list)


def time_line(steps: Sequence[Step]) -> TimeLine:
    """Return the time line of a journey."""
    flat = list(_flat(steps))
    moments = [moment for step, _, _ in flat for moment in _moments(step)]
    scale = TimeScale(moments)
    first = flat[0][0].entry
    return TimeLine(
        id=escape(cut(first.correlation_id)),
        began=f"{min(moments):%Y-%m-%d %H:%M:%S} UTC",
        took=duration((max(moments) - min(moments)).total_seconds()),
        marks=scale.marks(),
        rows=[_row(step, cause, depth, scale) for step, cause, depth in flat],
    )


def _flat(steps: Sequence[Step]) -> Iterator[tuple[Step, Entry | None, int]]:
    """Yield every event, with its cause and its depth below the first event."""
    for step in steps:
        waiting: list[tuple[Step, Entry | None, int]] = [(step, None, 0)]
        while waiting:
            each, cause, depth = waiting.pop()
            yield each, cause, depth
            waiting += [(after, each.entry, depth + 1) for after in reversed(each.after)]


def _moments(step: Step) -> Iterator[datetime]:
    yield step.entry.published_at
    for delivery in step.deliveries:
        known = [delivery.handled_at, delivery.dead_at]
        known += [failure.at for failure in delivery.failures]
        yield from (moment for moment in known if moment)


def _row(step: Step, cause: Entry | None, depth: int, scale: TimeScale) -> Row:
    entry = step.entry
    after_cause = (entry.published_at - cause.published_at).total_seconds() if cause else None
    return Row(
        id=entry.id,
        type=escape(entry.type, 80),
        source=escape(entry.source, 80),
        at=f"{entry.published_at:%H:%M:%S.%f}"[:-3],
        after_cause=f"{duration(max(0.0, after_cause))} later" if after_cause is not None else "",
        x=scale.x(entry.published_at),
        indent=min(depth, INDENTS),
        json=event_json(entry),
        bars=tuple(_bar(delivery, entry, scale) for delivery in step.deliveries),
    )


def _bar(delivery: Delivery, entry: Entry, scale: TimeScale) -> Bar:
    ends_dead = delivery.is_dead or delivery.undelivered is not None
    last = delivery.failures[-1].at if delivery.failures else None
    end = delivery.handled_at or (delivery.dead_at or last if ends_dead else None)
    x = scale.x(entry.published_at)
    until = scale.x(end) if end else x if ends_dead else 100.0
    width = max(THINNEST, until - x)
    shown = delivery.failures[-FAILURES:]
    return Bar(
        consumer=escape(delivery.consumer),
        kind=_kind(delivery),
        outcome=_outcome(delivery, entry),
        x=min(x, 100 - THINNEST),
        width=round(width, 2),
        is_open=not (delivery.handled_at or ends_dead),
        ends_dead=ends_dead,
        ticks=tuple(scale.x(failure.at) for failure in shown),
        failures=tuple(_failure(each) for each in shown),
        more_failures=len(delivery.failures) - len(shown),
        workflow=_workflow(delivery.execution) if delivery.execution else None,
    )


def _kind(delivery: Delivery) -> Kind:
    if delivery.handled_at:
        return "well"
    if delivery.is_dead or delivery.undelivered:
        return "failing"
    return "behind" if delivery.failures else "paused"


def _outcome(delivery: Delivery, entry: Entry) -> str:
    if delivery.handled_at:
        took = (delivery.handled_at - entry.published_at).total_seconds()
        return f"handled after {duration(max(0.0, took))}{delivery.repeats_in_words}"
    reason = escape(cut(delivery.reason, REASON))
    if delivery.is_dead:
        return f"dead letter: {reason}"
    if delivery.undelivered:
        return f"never delivered: {reason}"
    if delivery.failures:
        return "failed so far, will be retried"
    return "no attempt yet"


def _failure(failure: Failure) -> str:
    reason = escape(cut(failure.reason, REASON))
    return f"attempt {failure.attempt} at {failure.at:%H:%M:%S}: {reason}"


def _workflow(execution: Execution) -> str:
    status = execution.status.lower().replace("_", " ")
    took = (
        (execution.stopped_at - execution.started_at).total_seconds()
        if execution.stopped_at
        else None
    )
    after = f" after {duration(took)}" if took is not None else ""
    reason = f": {escape(cut(execution.reason, REASON))}" if execution.reason else ""
    return f"its workflow {status}{after}{reason}"


def event_json(entry: Entry) -> str:
    """Format the event as JSON, cut at MAX_JSON characters."""
    fields = {
        "id": entry.id,
        "type": entry.type,
        "source": entry.source,
        "version": entry.version,
        "published_at": entry.published_at.isoformat(),
        "correlation_id": entry.correlation_id,
        "causation_id": entry.causation_id,
        "data": "not in the journal: too large, or nested too deep"
        if entry.data is None
        else entry.data,
    }
    text = format_json(fields, MAX_JSON)
    if len(text) <= MAX_JSON:
        return escape_lines(text)
    return f"{escape_lines(text[:MAX_JSON])}\n… and more: cut here"
