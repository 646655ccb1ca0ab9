"""The living processes, from the operating system's tables."""

import subprocess
from contextlib import suppress
from pathlib import Path


def living(group: int) -> list[int]:
    """Return the processes of a group that have not ended; zombies do not count."""
    return [pid for pid, its_group, state in _all() if its_group == group and state[0] not in "ZX"]


def _all() -> list[tuple[int, int, str]]:
    if not Path("/proc/self/stat").exists():
        table = subprocess.run(
            ["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True
        ).stdout
        rows = [line.split() for line in table.splitlines()]
        return [(int(pid), int(group), state) for pid, group, state in rows]
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, group = stat.read_text().rsplit(")", 1)[1].split()[:3]
            found.append((int(stat.parent.name), int(group), state))
    return found
