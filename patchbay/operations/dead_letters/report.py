"""Reports on drained dead-letter queues."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from patchbay.operations.escape import escape

if TYPE_CHECKING:
    from patchbay.operations.dead_letters.drain import DrainResult

SHOWN = 5  # failures of a queue


def render(result: "DrainResult", verb: str, dry_run: bool) -> Iterator[Text]:
    """Render the result of a queue's drain; `verb` is "redriven" or "discarded"."""
    queue = result.queue
    if result.blocked:
        message = f"{queue.name}: {counted(queue.count)} can't be {verb}: {result.blocked}."
        yield Text(message, style="red")
        return
    where = f" to {queue.redrive_target}" if verb == "redriven" else ""
    done = f"{'would be ' if dry_run else ''}{verb}"
    line = Text.assemble(
        (queue.name, "bold"), f": {result.done:,} of {queue.count:,} {done}{where}"
    )
    remaining = {
        "not selected": result.skipped,
        "failed again": result.returned,
        f"{verb} but not deleted, so in both queues (harmless)": result.undeleted,
    }
    for why, count in remaining.items():
        line.append(f"; {count:,} {why}" if count else "")
    if result.after and not dry_run:
        line.append(f"; {result.after.count:,} in the queue now")
    yield line
    for dead_letter, why in list(result.failed.items())[:SHOWN]:
        yield Text(f"  {dead_letter} was not {verb}: {escape(why, 300)}", style="red")
    if len(result.failed) > SHOWN:
        yield Text(f"  … and {len(result.failed) - SHOWN:,} more were not {verb}", style="red")


def counted(count: int) -> str:
    """Format a number of dead letters."""
    return f"{count:,} dead letter{'' if count == 1 else 's'}"
