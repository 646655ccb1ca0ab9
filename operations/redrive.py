"""Puts dead letters back to where they belong, and loses none on the way.

A letter is deleted once it is known to have arrived, and not before. Who is killed in between
leaves it in both places: its consumer has its event a second time, and skips it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from operations.clients import Clients
from operations.dead_letter_queues import counted
from operations.dead_letters import DeadLetterQueue, NoWay
from operations.selection import Selection, selected_queues
from operations.sweep import HIDDEN_FOR, Pace, Sweep, Swept
from operations.ways_back import way_back


@dataclass
class Redriven:
    """What became of one queue's letters."""

    queue: DeadLetterQueue
    """As it was before."""
    swept: Swept = field(default_factory=Swept)
    after: DeadLetterQueue | None = None
    """As it was afterwards; None while that is not known."""
    why_not: str | None = None
    """Why nothing that is in it can be put back, and what to do instead."""


def redrive(
    clients: Clients,
    stage: str,
    selection: Selection,
    *,
    limit: int | None = None,
    rate: float | None = None,
    dry_run: bool = False,
    tell: Callable[[Redriven], None] = lambda so_far: None,
    hidden_for: int = HIDDEN_FOR,
) -> list[Redriven]:
    """Put the letters that are meant back; returns what became of them, queue by queue.

    At most `limit` of them, and `rate` a second. `tell` is told after every few. Raises
    OperationFailed; and botocore's errors where AWS can't be asked: what was put back by then is
    told, and the rest is where it was.
    """
    pace = Pace(rate)
    done: list[Redriven] = []
    for queue in selected_queues(clients, stage, selection.owner):
        left = None if limit is None else limit - sum(each.swept.done for each in done)
        if not queue.count or left == 0:
            continue
        result = Redriven(queue)
        done.append(result)
        if isinstance(queue.way, NoWay):
            result.why_not = queue.way.why
            tell(result)
            continue
        back = way_back(clients, queue.way)
        sweep = Sweep(
            clients, queue, selection, back.put,
            is_back=back.is_back, dry_run=dry_run, hidden_for=hidden_for,
        )  # fmt: skip
        result.swept = sweep.swept
        sweep.run(left, pace, partial(tell, result))
        result.after = counted(clients, queue)
        tell(result)
    return done
