"""Throws dead letters away, each of them once it is safe in a file."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.dead_letter import DeadLetter, DeadLetterQueue, as_json
from patchbay.operations.dead_letters.drain import Outcome, Plan, Tell, sweep
from patchbay.operations.dead_letters.selection import Selection


def discard(
    clients: Clients,
    stage: str,
    selection: Selection,
    file: Path,
    *,
    limit: int | None = None,
    dry_run: bool = False,
    tell: Tell = lambda outcome: None,
) -> list[Outcome]:
    """Write the letters that are meant to a new file, a line each, and delete them.

    A letter is deleted when its line is on the disk, and not before. Raises UserError.
    """
    if dry_run:
        return _swept(clients, stage, selection, None, limit, dry_run, tell)
    try:
        with file.open("x", encoding="utf-8") as lines:
            _to_disk(file.parent)  # else a power cut could take the file's name
            outcomes = _swept(clients, stage, selection, lines, limit, dry_run, tell)
    except FileExistsError as error:
        raise UserError(f"{file} is there already: name another with --to.") from error
    except OSError as error:
        raise UserError(
            f"{file} can't be written: {error.strerror}. What is not in it was not discarded."
        ) from error
    if not file.stat().st_size:
        file.unlink()
    return outcomes


def _swept(
    clients: Clients,
    stage: str,
    selection: Selection,
    lines: IO[str] | None,
    limit: int | None,
    dry_run: bool,
    tell: Tell,
) -> list[Outcome]:
    def write(letters: Sequence[DeadLetter]) -> Mapping[str, str]:
        if lines:
            lines.writelines(json.dumps(as_json(letter)) + "\n" for letter in letters)
            lines.flush()
            os.fsync(lines.fileno())
        return {}

    def plan(queue: DeadLetterQueue) -> Plan:
        return Plan(write)

    return sweep(
        clients, stage, selection, plan, limit=limit, explain=True, dry_run=dry_run, tell=tell
    )


def _to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
