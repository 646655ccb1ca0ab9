"""The selection of dead letters: by owner, by id, by reason."""

from collections.abc import Sequence
from dataclasses import dataclass

from patchbay.did_you_mean import suggestion
from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.browse import browse
from patchbay.operations.dead_letters.dead_letter import DeadLetter, DeadLetterQueue, normalised
from patchbay.operations.dead_letters.queues import queues

MIN_ID = 6  # characters that identify a dead letter
SEARCHED = 1000  # dead letters of each queue that are searched for an id


@dataclass(frozen=True)
class Selection:
    """The dead letters that match every condition which is given."""

    owner: str | None = None
    """A consumer or a function; None for all."""
    ids: tuple[str, ...] = ()
    """Ids of dead letters or of their events, or the beginnings of ids; none for all."""
    reason: str | None = None
    """A part of the reason. Case is ignored, and so are the values of ids and numbers."""
    group: str | None = None
    """The whole reason of a Group."""

    @property
    def needs_reasons(self) -> bool:
        """True if the reasons of dead letters must be known."""
        return bool(self.reason or self.group)

    @property
    def selects_all(self) -> bool:
        """True if every dead letter of a queue is selected."""
        return not (self.ids or self.needs_reasons)

    def selects(self, dead_letter: DeadLetter) -> bool:
        """Return True if the dead letter is selected."""
        if self.ids and not any(has_id(dead_letter, each) for each in self.ids):
            return False
        why = normalised(dead_letter.reason)
        if self.group is not None and why != self.group:
            return False
        return not self.reason or normalised(self.reason).lower() in why.lower()


def has_id(dead_letter: DeadLetter, prefix: str) -> bool:
    """Return True if the id of the dead letter, or of its event, begins with the prefix."""
    ids = [dead_letter.id, (dead_letter.event.id if dead_letter.event else None) or ""]
    return any(each.startswith(prefix) for each in ids) and len(prefix) >= MIN_ID


def selected_queues(
    clients: Clients, stage: str, owner: str | None = None
) -> list[DeadLetterQueue]:
    """Return the dead-letter queues of an owner, or all; raises UserError."""
    of_stage = queues(clients, stage)
    if owner is None:
        return of_stage
    found = [queue for queue in of_stage if owner in (queue.owner, queue.name)]
    if found:
        return found
    owners = sorted({queue.owner for queue in of_stage})
    hint = suggestion(owner, owners)
    raise UserError(f"No consumer or function {owner!r} has a dead-letter queue. {hint}")


def find(
    clients: Clients, stage: str, id: str, owner: str | None = None, limit: int = SEARCHED
) -> DeadLetter:
    """Return the dead letter with that id; raises UserError unless it is exactly one."""
    if len(id) < MIN_ID:
        raise UserError(f"{id!r} is too short: give at least {MIN_ID} characters of the id.")
    searched = [queue for queue in selected_queues(clients, stage, owner) if queue.count]
    dead_letters = [
        dead_letter for queue in searched for dead_letter in browse(clients, queue, limit)
    ]
    found = [dead_letter for dead_letter in dead_letters if has_id(dead_letter, id)]
    if len({dead_letter.id for dead_letter in found}) > 1:
        raise UserError(
            f"The id {id!r} matches {len(found)} dead letters: {', '.join(map(_place, found))}. "
            "Give one of those ids, or name the --consumer."
        )
    if found:
        return found[0]
    raise UserError(
        f"No dead letter has the id {id!r}: {len(dead_letters)} were searched. "
        + _reason_not_found(searched, limit)
    )


def _place(dead_letter: DeadLetter) -> str:
    return f"{dead_letter.id} in {dead_letter.queue.name}"


def _reason_not_found(searched: Sequence[DeadLetterQueue], limit: int) -> str:
    """Return a possible reason why a dead letter was not found."""
    large = [f"{queue.name} ({queue.count:,})" for queue in searched if queue.count > limit]
    if large:
        return f"There are more in {', '.join(large)}: search them with a higher --limit."
    if any(queue.in_flight for queue in searched):
        return "Some are in flight: somebody browses or redrives them."
    return "It may have been redriven."
