"""What has been logged about a dead letter."""

import re
from datetime import timedelta
from itertools import islice

from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.dead_letter import DeadLetter
from patchbay.operations.log_lines import Line, lines

MOST = 100  # lines: 12 attempts have far fewer
PAGES = 20
BEFORE = timedelta(minutes=1)  # how much clocks may differ
# What comes from a letter goes into a pattern only if it can't be more than an id.
_ID = re.compile(r"[A-Za-z0-9-]{6,64}")


def logged_about(clients: Clients, letter: DeadLetter) -> list[Line]:
    """The lines of its consumer's log, or its function's, that name it; the oldest first."""
    if letter.queue.log_group is None:
        return []
    noted = letter.attributes.get("OriginalMessageId", {}).get("StringValue")
    event_id = letter.event.id if letter.event else None
    named = {
        "message_id": {each for each in (letter.id, noted) if each and _ID.fullmatch(each)},
        "event_id": {event_id} if event_id and _ID.fullmatch(event_id) else set(),
        # Of a schedule's run.
        "due_at": {letter.first.isoformat()} if letter.queue.kind == "schedule" else set(),
    }
    which = [f'$.{name}="{each}"' for name, ids in named.items() for each in sorted(ids)]
    found = lines(
        clients.client("logs"),
        letter.queue.log_group,
        f"{{{'||'.join(which)}}}",
        letter.first - BEFORE,
        pages=PAGES,
    )
    about = (line for line in found if any(line.get(name) in ids for name, ids in named.items()))
    return sorted(islice(about, MOST), key=lambda line: line["at"])
