"""The selection of dead letters: by owner, by id, by reason."""

from collections.abc import Sequence
from dataclasses import dataclass

from patchbay.did_you_mean import suggestion
from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.browse import browse
from patchbay.operations.dead_letters.dead_letter import DeadLetter, DeadLetterQueue, normalised
from patchbay.operations.dead_letters.queues import queues

SHORTEST = 6  # characters of an id that tell which it is
SEARCHED = 1000  # dead letters of each queue, for an id


@dataclass(frozen=True)
class Selection:
    """All that it says has to be so; what it does not say may be anything."""

    owner: str | None = None
    """A consumer, or a function; None for those of all."""
    ids: tuple[str, ...] = ()
    """Of dead letters or of the events in them, or how those begin; none for all."""
    reason: str | None = None
    """What the reason has in it. Upper and lower case, and which ids and numbers, don't count."""
    group: str | None = None
    """The whole reason, as `grouped` has it."""

    @property
    def needs_reasons(self) -> bool:
        """Whether it can't be told without knowing why a dead letter died."""
        return bool(self.reason or self.group)

    @property
    def selects_all(self) -> bool:
        """Whether it takes each dead letter of a queue."""
        return not (self.ids or self.needs_reasons)

    def selects(self, dead_letter: DeadLetter) -> bool:
        """Return whether that dead letter is selected."""
        if self.ids and not any(has_id(dead_letter, each) for each in self.ids):
            return False
        why = normalised(dead_letter.reason)
        if self.group is not None and why != self.group:
            return False
        return not self.reason or normalised(self.reason).lower() in why.lower()


def has_id(dead_letter: DeadLetter, name: str) -> bool:
    """Return whether the id of the dead letter, or of its event, begins so."""
    ids = [dead_letter.id, (dead_letter.event.id if dead_letter.event else None) or ""]
    return any(each.startswith(name) for each in ids) and len(name) >= SHORTEST


def selected_queues(
    clients: Clients, stage: str, owner: str | None = None
) -> list[DeadLetterQueue]:
    """Return the dead-letter queues of an owner, or all; raises UserError."""
    there = queues(clients, stage)
    if owner is None:
        return there
    found = [queue for queue in there if owner in (queue.owner, queue.name)]
    if found:
        return found
    owners = sorted({queue.owner for queue in there})
    hint = suggestion(owner, owners)
    raise UserError(f"No consumer or function {owner!r} has a dead-letter queue. {hint}")


def find(
    clients: Clients, stage: str, id: str, owner: str | None = None, limit: int = SEARCHED
) -> DeadLetter:
    """Return the dead letter with that id; raises UserError unless it is exactly one."""
    if len(id) < SHORTEST:
        raise UserError(f"{id!r} is too short: give {SHORTEST} characters of the id, or more.")
    looked = [queue for queue in selected_queues(clients, stage, owner) if queue.count]
    dead_letters = [
        dead_letter for queue in looked for dead_letter in browse(clients, queue, limit)
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
        + _unseen(looked, limit)
    )


def _place(dead_letter: DeadLetter) -> str:
    return f"{dead_letter.id} in {dead_letter.queue.name}"


def _unseen(looked: Sequence[DeadLetterQueue], limit: int) -> str:
    """Return why a dead letter may not have been found."""
    large = [f"{queue.name} ({queue.count:,})" for queue in looked if queue.count > limit]
    if large:
        return f"There are more in {', '.join(large)}: search them with a higher --limit."
    if any(queue.in_flight for queue in looked):
        return "Some are in flight: somebody browses or redrives them."
    return "It may have been redriven."
