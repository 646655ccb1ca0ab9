"""Puts dead letters back to where they belong, and loses none on the way.

A letter is deleted once it is known to have arrived, and not before. Who is killed in between
leaves it in both places: its consumer has its event a second time, and skips it.
"""

from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.dead_letter import DeadLetterQueue, NoWay
from patchbay.operations.dead_letters.drain import HIDDEN_FOR, Outcome, Plan, Tell, sweep
from patchbay.operations.dead_letters.redrive_targets import way_back
from patchbay.operations.dead_letters.selection import Selection, selected_queues


def redrive(
    clients: Clients,
    stage: str,
    selection: Selection,
    *,
    limit: int | None = None,
    rate: float | None = None,
    dry_run: bool = False,
    tell: Tell = lambda outcome: None,
    hidden_for: int = HIDDEN_FOR,
) -> list[Outcome]:
    """Put the letters that are meant back; returns what became of them, queue by queue.

    At most `limit` of them, and `rate` a second. Raises UserError, and botocore's errors
    where AWS can't be asked: what was put back by then is told, and the rest is where it was.
    """

    def plan(queue: DeadLetterQueue) -> Plan:
        if isinstance(queue.way, NoWay):
            return Plan(why_not=queue.way.why)
        back = way_back(clients, queue.way)
        return Plan(back.put, back.is_back)

    return sweep(
        clients,
        stage,
        selection,
        plan,
        limit=limit,
        rate=rate,
        dry_run=dry_run,
        tell=tell,
        hidden_for=hidden_for,
    )


def count_meant(
    clients: Clients, stage: str, selection: Selection, limit: int | None = None
) -> int:
    """How many letters are meant, about."""
    if selection.takes_all:
        queues = selected_queues(clients, stage, selection.owner)
        count = sum(queue.count for queue in queues)
        return count if limit is None else min(count, limit)
    return sum(each.done for each in redrive(clients, stage, selection, limit=limit, dry_run=True))
