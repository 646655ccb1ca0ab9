"""Redrive of dead letters to where they failed, without losing one.

A dead letter is deleted only once its target has confirmed it. A process that is killed in between
leaves it in both places: the consumer gets the event twice, and skips the second one.
"""

from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.dead_letter import DeadLetterQueue, NotRedrivable
from patchbay.operations.dead_letters.drain import (
    VISIBILITY_TIMEOUT,
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
    visibility_timeout: int = VISIBILITY_TIMEOUT,
) -> list[DrainResult]:
    """Redrive the selected dead letters, and return the result of each queue.

    Redrives at most `limit` of them, and `rate` a second. Raises UserError, and botocore's errors
    if a request fails: the others stay where they are, and `on_progress` has the results so far.
    """

    def action_for(queue: DeadLetterQueue) -> QueueAction:
        if isinstance(queue.redrive_target, NotRedrivable):
            return QueueAction(blocked=queue.redrive_target.why)
        to_target = redriver(clients, queue.redrive_target)
        return QueueAction(to_target.redrive, to_target.has_returned)

    return drain(
        clients,
        stage,
        selection,
        action_for,
        limit=limit,
        rate=rate,
        dry_run=dry_run,
        on_progress=on_progress,
        visibility_timeout=visibility_timeout,
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
