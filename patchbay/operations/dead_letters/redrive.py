"""Redrive of dead letters to where they failed, without losing one.

A dead letter is deleted once it is known to have arrived, and not before. Who is killed in between
leaves it in both places: its consumer has its event a second time, and skips it.
"""

from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.dead_letter import DeadLetterQueue, NotRedrivable
from patchbay.operations.dead_letters.drain import (
    HIDDEN_FOR,
    DrainResult,
    OnProgress,
    QueueAction,
    drain,
)
from patchbay.operations.dead_letters.redrive_targets import redriver
from patchbay.operations.dead_letters.selection import Selection, selected_queues


def redrive(
    clients: Clients,
    stage: str,
    selection: Selection,
    *,
    limit: int | None = None,
    rate: float | None = None,
    dry_run: bool = False,
    on_progress: OnProgress = lambda result: None,
    hidden_for: int = HIDDEN_FOR,
) -> list[DrainResult]:
    """Put the dead letters that are meant back; returns what became of them, queue by queue.

    At most `limit` of them, and `rate` a second. Raises UserError, and botocore's errors
    where AWS can't be asked: what was redriven by then is reported, and the rest is unchanged.
    """

    def action_for(queue: DeadLetterQueue) -> QueueAction:
        if isinstance(queue.redrive_target, NotRedrivable):
            return QueueAction(blocked=queue.redrive_target.why)
        back = redriver(clients, queue.redrive_target)
        return QueueAction(back.redrive, back.has_returned)

    return drain(
        clients,
        stage,
        selection,
        action_for,
        limit=limit,
        rate=rate,
        dry_run=dry_run,
        on_progress=on_progress,
        hidden_for=hidden_for,
    )


def count_selected(
    clients: Clients, stage: str, selection: Selection, limit: int | None = None
) -> int:
    """Return the approximate number of selected dead letters."""
    if selection.selects_all:
        queues = selected_queues(clients, stage, selection.owner)
        count = sum(queue.count for queue in queues)
        return count if limit is None else min(count, limit)
    return sum(each.done for each in redrive(clients, stage, selection, limit=limit, dry_run=True))
