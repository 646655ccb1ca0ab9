"""The log lines about a dead letter."""

import re
from datetime import timedelta
from itertools import islice

from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.dead_letter import DeadLetter
from patchbay.operations.log_lines import Line, lines

MOST = 100  # lines: 12 attempts have far fewer
PAGES = 20
BEFORE = timedelta(minutes=1)  # how much clocks may differ
# What comes from a dead letter goes into a pattern only if it can't be more than an id.
_ID = re.compile(r"[A-Za-z0-9-]{6,64}")


def log_lines_of(clients: Clients, dead_letter: DeadLetter) -> list[Line]:
    """Return the lines of its consumer's or function's log that name it, oldest first."""
    if dead_letter.queue.log_group is None:
        return []
    noted = dead_letter.attributes.get("OriginalMessageId", {}).get("StringValue")
    event_id = dead_letter.event.id if dead_letter.event else None
    named = {
        "message_id": {each for each in (dead_letter.id, noted) if each and _ID.fullmatch(each)},
        "event_id": {event_id} if event_id and _ID.fullmatch(event_id) else set(),
        # Of a schedule's run.
        "due_at": {dead_letter.first.isoformat()}
        if dead_letter.queue.kind == "schedule"
        else set(),
    }
    which = [f'$.{name}="{each}"' for name, ids in named.items() for each in sorted(ids)]
    found = lines(
        clients.client("logs"),
        dead_letter.queue.log_group,
        f"{{{'||'.join(which)}}}",
        dead_letter.first - BEFORE,
        pages=PAGES,
    )
    about = (line for line in found if any(line.get(name) in ids for name, ids in named.items()))
    return sorted(islice(about, MOST), key=lambda line: line["at"])
