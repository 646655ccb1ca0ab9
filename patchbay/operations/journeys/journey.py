"""The journey of an order: what caused what, when, and who did what with it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.text import Text
from rich.tree import Tree

from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.operations.consumers import deployed_consumers
from patchbay.operations.escape import visible
from patchbay.operations.journeys.deliveries import Handling, handlings
from patchbay.operations.journeys.executions import Run
from patchbay.operations.journeys.journal import Entry, entries
from patchbay.project.naming import bus_name

MAX_TYPE = 80  # characters of an event's type, and of a reason, on a terminal
MAX_REASON = 1000
MAX_DEPTH = 100  # events below each other; a journey of the shop has four


@dataclass
class Step:
    """An event, who was given it, and what it led to."""

    entry: Entry
    handlings: Sequence[Handling]
    after: list["Step"] = field(default_factory=list)


def journey(clients: Clients, stage: str, id: str, most: int | None = None) -> list[Step]:
    """What set off a journey, with all that came of it; raises UserError.

    It is known by its order's id, its correlation id, or the id of any of its events. Of a longer
    one, the first events are looked at.
    """
    kept = entries(clients, stage, id, most)
    consumers = deployed_consumers(clients, bus_name(stage))
    if not consumers:
        raise UserError(f"There is no consumer on the bus {bus_name(stage)}.")
    return grown(kept, handlings(clients, stage, consumers, kept))


def grown(kept: Sequence[Entry], done: Mapping[str, Sequence[Handling]]) -> list[Step]:
    """The events as trees: each below the one that caused it, and at the top those without."""
    steps = {entry.id: Step(entry, done.get(entry.id, [])) for entry in kept}
    roots: list[Step] = []
    for step in steps.values():
        cause = steps.get(step.entry.caused_by or "")
        (cause.after if cause else roots).append(step)
    return _without_circles(steps.values(), roots)


def _without_circles(steps: Iterable[Step], roots: list[Step]) -> list[Step]:
    """The same trees, but for what is below itself, or too deep: that stands at the top.

    What caused an event is what the event says, and anyone may write that.
    """
    seen: set[str] = set()
    found: list[Step] = []
    for root in [*roots, *steps]:
        if root.entry.id in seen:
            continue
        found.append(root)
        waiting = [(root, 0)]
        seen.add(root.entry.id)
        while waiting:
            step, depth = waiting.pop()
            step.after = [each for each in step.after if each.entry.id not in seen]
            if depth == MAX_DEPTH:
                step.after = []
            seen |= {each.entry.id for each in step.after}
            waiting += [(each, depth + 1) for each in step.after]
    return found


def drawn(steps: Sequence[Step]) -> Tree:
    """The journey, for people. What is in it may be hostile, and is shown as text."""
    name = visible(steps[0].entry.correlation_id)
    tree = Tree(Text(f"journey {name}", style="bold"), guide_style="dim")
    for step in steps:
        _draw(tree, step, None)
    return tree


def as_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The journey, for machines. Times are ISO 8601, in UTC."""
    return [
        {
            "event_id": step.entry.id,
            "type": step.entry.type,
            "source": step.entry.source,
            "correlation_id": step.entry.correlation_id,
            "published_at": step.entry.published_at.isoformat(),
            "consumers": [_as_json(handling) for handling in step.handlings],
            "caused": as_json(step.after),
        }
        for step in steps
    ]


def _draw(above: Tree, step: Step, cause: Entry | None) -> None:
    entry = step.entry
    label = Text.assemble(
        (visible(entry.type, MAX_TYPE), "bold cyan"), "  ", (_clock(entry.published_at), "dim")
    )
    if cause:
        label.append(f"  {_after(entry.published_at, cause.published_at)} later", "dim")
    branch = above.add(label)
    for handling in step.handlings:
        leaf = branch.add(_outcome(handling, entry))
        for line in [*_troubles(handling), *_workflow(handling)]:
            leaf.add(line)
    for following in step.after:
        _draw(branch, following, entry)


def _outcome(handling: Handling, entry: Entry) -> Text:
    if handling.handled_at:
        took = _after(handling.handled_at, entry.published_at)
        said = f"handled after {took}{handling.again}"
        return _line("✓", "green", handling.consumer, said)
    if handling.is_dead:
        tries = len(handling.failures)
        why = (
            f" after {tries} failures" if tries and not handling.rejected else f": {_why(handling)}"
        )
        return _line("✗", "bold red", handling.consumer, f"dead letter{why}")
    if handling.undelivered:
        return _line("✗", "bold red", handling.consumer, f"never delivered: {_why(handling)}")
    if handling.failures:
        return _line("↻", "yellow", handling.consumer, "failed so far, and will be tried again")
    return _line("…", "dim", handling.consumer, "has not come to it yet")


def _troubles(handling: Handling) -> Iterator[Text]:
    for failure in handling.failures:
        reason = visible(failure.reason, MAX_REASON)
        said = f"attempt {failure.attempt}  {_clock(failure.at)}  {reason}"
        yield Text(said, style="yellow")


def _workflow(handling: Handling) -> Iterator[Text]:
    run = handling.run
    if run is None:
        return
    took = f" after {_after(run.stopped_at, run.started_at)}" if run.stopped_at else ""
    why = f": {visible(run.reason, MAX_REASON)}" if run.reason else ""
    style = {"RUNNING": "yellow", "SUCCEEDED": "green"}.get(run.status, "bold red")
    yield Text(f"its workflow {run.status.lower().replace('_', ' ')}{took}{why}", style=style)


def _why(handling: Handling) -> str:
    return visible(handling.why, MAX_REASON)


def _line(mark: str, style: str, consumer: str, said: str) -> Text:
    return Text.assemble((mark, style), f" {consumer}  ", (said, "" if mark == "✓" else style))


def _as_json(handling: Handling) -> dict[str, Any]:
    return {
        "consumer": handling.consumer,
        "handled_at": handling.handled_at.isoformat() if handling.handled_at else None,
        "dead_letter": handling.is_dead,
        "undelivered": handling.undelivered is not None,
        "why": handling.why if handling.is_dead or handling.undelivered else None,
        "workflow": _run_as_json(handling.run) if handling.run else None,
        "failures": [
            {"at": each.at.isoformat(), "attempt": each.attempt, "reason": each.reason}
            for each in handling.failures
        ],
    }


def _run_as_json(run: Run) -> dict[str, Any]:
    return {
        "status": run.status,
        "started_at": run.started_at.isoformat(),
        "stopped_at": run.stopped_at.isoformat() if run.stopped_at else None,
        "reason": run.reason,
    }


def _clock(moment: datetime) -> str:
    return moment.strftime("%H:%M:%S.%f")[:-3]


def _after(later: datetime, earlier: datetime) -> str:
    """How long after, for people: milliseconds matter in seconds, and not in hours."""
    seconds = (later - earlier).total_seconds()
    return f"{seconds:.2f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
