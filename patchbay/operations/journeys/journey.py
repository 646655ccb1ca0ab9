"""Journeys: events with the events that they caused, and their deliveries to consumers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.text import Text
from rich.tree import Tree

from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.operations.consumers import deployed_consumers
from patchbay.operations.escape import escape
from patchbay.operations.journeys.deliveries import Delivery, deliveries
from patchbay.operations.journeys.executions import Execution
from patchbay.operations.journeys.journal import Entry, entries
from patchbay.project.naming import bus_name

MAX_TYPE = 80  # characters of an event's type, and of a reason, on a terminal
MAX_REASON = 1000
MAX_DEPTH = 100  # events below each other; most journeys have fewer than ten


@dataclass
class Step:
    """An event of a journey, with its deliveries and the events that it caused."""

    entry: Entry
    deliveries: Sequence[Delivery]
    after: list["Step"] = field(default_factory=list)


def journey(clients: Clients, stage: str, id: str, most: int | None = None) -> list[Step]:
    """Return a journey's first events, each with the events that it caused.

    `id` is its correlation id, or the id of any of its events. If it has more than `most` events,
    only the oldest ones are read. Raises UserError.
    """
    events = entries(clients, stage, id, most)
    consumers = deployed_consumers(clients, bus_name(stage))
    if not consumers:
        raise UserError(f"There is no consumer on the bus {bus_name(stage)}.")
    return as_trees(events, deliveries(clients, stage, consumers, events))


def as_trees(events: Sequence[Entry], delivered: Mapping[str, Sequence[Delivery]]) -> list[Step]:
    """Arrange events as trees: each below its cause, those without a known cause at the top."""
    steps = {entry.id: Step(entry, delivered.get(entry.id, [])) for entry in events}
    roots: list[Step] = []
    for step in steps.values():
        cause = steps.get(step.entry.causation_id or "")
        (cause.after if cause else roots).append(step)
    return _without_cycles(steps.values(), roots)


def _without_cycles(steps: Iterable[Step], roots: list[Step]) -> list[Step]:
    """Move an event to the top if it is below itself, or too deep.

    An event names its own cause, so the causes may form a cycle.
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


def render(steps: Sequence[Step]) -> Tree:
    """Render a journey for a terminal, with all of its content escaped."""
    name = escape(steps[0].entry.correlation_id)
    tree = Tree(Text(f"journey {name}", style="bold"), guide_style="dim")
    for step in steps:
        _draw(tree, step, None)
    return tree


def as_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return a journey as JSON. Times are ISO 8601, in UTC."""
    return [
        {
            "event_id": step.entry.id,
            "type": step.entry.type,
            "source": step.entry.source,
            "correlation_id": step.entry.correlation_id,
            "published_at": step.entry.published_at.isoformat(),
            "consumers": [_as_json(delivery) for delivery in step.deliveries],
            "caused": as_json(step.after),
        }
        for step in steps
    ]


def _draw(above: Tree, step: Step, cause: Entry | None) -> None:
    entry = step.entry
    label = Text.assemble(
        (escape(entry.type, MAX_TYPE), "bold cyan"), "  ", (_clock(entry.published_at), "dim")
    )
    if cause:
        label.append(f"  {_after(entry.published_at, cause.published_at)} later", "dim")
    branch = above.add(label)
    for delivery in step.deliveries:
        leaf = branch.add(_outcome(delivery, entry))
        for line in [*_failures(delivery), *_workflow(delivery)]:
            leaf.add(line)
    for following in step.after:
        _draw(branch, following, entry)


def _outcome(delivery: Delivery, entry: Entry) -> Text:
    if delivery.handled_at:
        took = _after(delivery.handled_at, entry.published_at)
        result = f"handled after {took}{delivery.repeats_in_words}"
        return _line("✓", "green", delivery.consumer, result)
    if delivery.is_dead:
        failed = len(delivery.failures)
        reason = (
            f" after {failed} failures"
            if failed and not delivery.rejected
            else f": {_why(delivery)}"
        )
        return _line("✗", "bold red", delivery.consumer, f"dead letter{reason}")
    if delivery.undelivered:
        return _line("✗", "bold red", delivery.consumer, f"never delivered: {_why(delivery)}")
    if delivery.failures:
        return _line("↻", "yellow", delivery.consumer, "failed so far, will be retried")
    return _line("…", "dim", delivery.consumer, "no attempt yet")


def _failures(delivery: Delivery) -> Iterator[Text]:
    for failure in delivery.failures:
        reason = escape(failure.reason, MAX_REASON)
        attempt = f"attempt {failure.attempt}  {_clock(failure.at)}  {reason}"
        yield Text(attempt, style="yellow")


def _workflow(delivery: Delivery) -> Iterator[Text]:
    execution = delivery.execution
    if execution is None:
        return
    took = (
        f" after {_after(execution.stopped_at, execution.started_at)}"
        if execution.stopped_at
        else ""
    )
    reason = f": {escape(execution.reason, MAX_REASON)}" if execution.reason else ""
    style = {"RUNNING": "yellow", "SUCCEEDED": "green"}.get(execution.status, "bold red")
    yield Text(
        f"its workflow {execution.status.lower().replace('_', ' ')}{took}{reason}", style=style
    )


def _why(delivery: Delivery) -> str:
    return escape(delivery.reason, MAX_REASON)


def _line(mark: str, style: str, consumer: str, result: str) -> Text:
    return Text.assemble((mark, style), f" {consumer}  ", (result, "" if mark == "✓" else style))


def _as_json(delivery: Delivery) -> dict[str, Any]:
    return {
        "consumer": delivery.consumer,
        "handled_at": delivery.handled_at.isoformat() if delivery.handled_at else None,
        "dead_letter": delivery.is_dead,
        "undelivered": delivery.undelivered is not None,
        "why": delivery.reason if delivery.is_dead or delivery.undelivered else None,
        "workflow": _execution_as_json(delivery.execution) if delivery.execution else None,
        "failures": [
            {"at": each.at.isoformat(), "attempt": each.attempt, "reason": each.reason}
            for each in delivery.failures
        ],
    }


def _execution_as_json(execution: Execution) -> dict[str, Any]:
    return {
        "status": execution.status,
        "started_at": execution.started_at.isoformat(),
        "stopped_at": execution.stopped_at.isoformat() if execution.stopped_at else None,
        "reason": execution.reason,
    }


def _clock(moment: datetime) -> str:
    return moment.strftime("%H:%M:%S.%f")[:-3]


def _after(later: datetime, earlier: datetime) -> str:
    """Format the time between two moments: in seconds, or in minutes if it is long."""
    seconds = (later - earlier).total_seconds()
    return f"{seconds:.2f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
