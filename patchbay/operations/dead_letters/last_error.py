"""Log lines about a dead letter."""

import re
from datetime import timedelta
from itertools import islice

from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.dead_letter import DeadLetter
from patchbay.operations.log_lines import Line, lines

MAX_LINES = 100  # 12 attempts have far fewer
PAGES = 20
CLOCK_SKEW = timedelta(minutes=1)
# Only a valid id of a dead letter goes into a filter pattern: its content may be hostile.
_ID = re.compile(r"[A-Za-z0-9-]{6,64}")


def log_lines_of(clients: Clients, dead_letter: DeadLetter) -> list[Line]:
    """Return the lines about it in its consumer's or function's log, oldest first."""
    if dead_letter.queue.log_group is None:
        return []
    original = dead_letter.attributes.get("OriginalMessageId", {}).get("StringValue")
    event_id = dead_letter.event.id if dead_letter.event else None
    named = {
        "message_id": {each for each in (dead_letter.id, original) if each and _ID.fullmatch(each)},
        "event_id": {event_id} if event_id and _ID.fullmatch(event_id) else set(),
        # A run of a schedule is identified by its due time.
        "due_at": {dead_letter.first.isoformat()}
        if dead_letter.queue.kind == "schedule"
        else set(),
    }
    conditions = [f'$.{name}="{each}"' for name, ids in named.items() for each in sorted(ids)]
    found = lines(
        clients.client("logs"),
        dead_letter.queue.log_group,
        f"{{{'||'.join(conditions)}}}",
        dead_letter.first - CLOCK_SKEW,
        pages=PAGES,
    )
    about = (line for line in found if any(line.get(name) in ids for name, ids in named.items()))
    return sorted(islice(about, MAX_LINES), key=lambda line: line["at"])
