"""Discarding of dead letters: each is written to a file, and then deleted."""

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
    """Write the selected dead letters to a new file, one a line, and delete them.

    A dead letter is deleted only once its line is on the disk. Raises UserError.
    """
    if dry_run:
        return _drain(clients, stage, selection, None, limit, dry_run, on_progress)
    try:
        with file.open("x", encoding="utf-8") as lines:
            _to_disk(file.parent)  # so that a power cut can't remove the file's entry
            results = _drain(clients, stage, selection, lines, limit, dry_run, on_progress)
    except FileExistsError as error:
        raise UserError(f"{file} exists already: name another file with --to.") from error
    except OSError as error:
        raise UserError(
            f"{file} can't be written: {error.strerror}. Only dead letters that are in it were "
            "deleted."
        ) from error
    if not file.stat().st_size:
        file.unlink()
    return results


def _drain(
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
