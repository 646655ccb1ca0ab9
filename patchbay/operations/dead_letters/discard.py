"""Discarding of dead letters, each of them once it is safe in a file."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from patchbay.errors import UserError
from patchbay.operations.clients import Clients
from patchbay.operations.dead_letters.dead_letter import DeadLetter, DeadLetterQueue, as_json
from patchbay.operations.dead_letters.drain import DrainResult, OnProgress, QueueAction, drain
from patchbay.operations.dead_letters.selection import Selection


def discard(
    clients: Clients,
    stage: str,
    selection: Selection,
    file: Path,
    *,
    limit: int | None = None,
    dry_run: bool = False,
    on_progress: OnProgress = lambda result: None,
) -> list[DrainResult]:
    """Write the dead letters that are meant to a new file, a line each, and delete them.

    A dead letter is deleted when its line is on the disk, and not before. Raises UserError.
    """
    if dry_run:
        return _swept(clients, stage, selection, None, limit, dry_run, on_progress)
    try:
        with file.open("x", encoding="utf-8") as lines:
            _to_disk(file.parent)  # else a power cut could take the file's name
            results = _swept(clients, stage, selection, lines, limit, dry_run, on_progress)
    except FileExistsError as error:
        raise UserError(f"{file} is there already: name another with --to.") from error
    except OSError as error:
        raise UserError(
            f"{file} can't be written: {error.strerror}. What is not in it was not discarded."
        ) from error
    if not file.stat().st_size:
        file.unlink()
    return results


def _swept(
    clients: Clients,
    stage: str,
    selection: Selection,
    lines: IO[str] | None,
    limit: int | None,
    dry_run: bool,
    on_progress: OnProgress,
) -> list[DrainResult]:
    def write(dead_letters: Sequence[DeadLetter]) -> Mapping[str, str]:
        if lines:
            lines.writelines(
                json.dumps(as_json(dead_letter)) + "\n" for dead_letter in dead_letters
            )
            lines.flush()
            os.fsync(lines.fileno())
        return {}

    def action_for(queue: DeadLetterQueue) -> QueueAction:
        return QueueAction(write)

    return drain(
        clients,
        stage,
        selection,
        action_for,
        limit=limit,
        explain=True,
        dry_run=dry_run,
        on_progress=on_progress,
    )


def _to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
