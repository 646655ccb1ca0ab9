"""What became of dead letters, in sentences."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from patchbay.operations.escape import visible

if TYPE_CHECKING:
    from patchbay.operations.dead_letters.drain import Outcome

SHOWN = 5  # of those that failed


def lines(outcome: "Outcome", verb: str, dry_run: bool) -> Iterator[Text]:
    """What became of a queue's letters, of which it is said that they were `verb`."""
    queue = outcome.queue
    if outcome.why_not:
        said = f"{queue.name}: {letters(queue.count)} can't be {verb}: {outcome.why_not}."
        yield Text(said, style="red")
        return
    where = f" to {queue.way}" if verb == "put back" else ""
    done = f"{'would be ' if dry_run else ''}{verb}"
    line = Text.assemble(
        (queue.name, "bold"), f": {outcome.done:,} of {queue.count:,} {done}{where}"
    )
    stay = {
        "not meant": outcome.kept,
        "failed once more already": outcome.returned,
        f"{verb}, but not deleted, and harmlessly in both places": outcome.undeleted,
    }
    for why, count in stay.items():
        line.append(f"; {count:,} {why}" if count else "")
    if outcome.after and not dry_run:
        line.append(f"; {outcome.after.count:,} are there now")
    yield line
    for letter, why in list(outcome.failed.items())[:SHOWN]:
        yield Text(f"  {letter} stays: {visible(why, 300)}", style="red")
    if len(outcome.failed) > SHOWN:
        yield Text(f"  … and {len(outcome.failed) - SHOWN:,} more stay", style="red")


def letters(count: int) -> str:
    """So many of them."""
    return f"{count:,} dead letter{'' if count == 1 else 's'}"
